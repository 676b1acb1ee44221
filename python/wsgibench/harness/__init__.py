"""plan -> cell -> process -> record; interpreters and environments."""

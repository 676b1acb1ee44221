"""Records in a form for people; one module a format: ``render(record)``."""

"""The faults: HELP, SMALL, FULL and run(start, **arguments) each."""

"""What clients and processes do wrong: they vanish, stall, never read, send
without end, are killed.

families/NAME.py holds the faults of one family as data; fault.py says what one
is, clients.py and processes.py bring it about.
"""

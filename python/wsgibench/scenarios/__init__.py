"""What is asked: one module a scenario, its file name is its name.

A scenario has HELP, APP (a module of guest/apps) and BODY (the expected
bytes, or a function that makes them), and when they are not the usual ones:
PATH, STATUS, REQUIRES (packages of the application), SERVICES (what it needs
running), SPEAKS (which kinds of server can do it), OPTIONS (for the server),
FRAMEWORK (the application's) and DELAY (seconds that the work waits).
"""

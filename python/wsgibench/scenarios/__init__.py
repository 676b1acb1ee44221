"""What is asked: one module a scenario, its file name is its name.

A scenario has HELP, APP (a module of guest/apps), PATH, STATUS, BODY (the
expected octets) and SERVICES (names it needs running).
"""

"""What is asked: every module here has SCENARIOS, rows by name.

A row has about, app (a module of target/apps) and body (the expected bytes, or
a function that makes them), and when they are not the usual ones: path,
status, requires (packages of the application), services (what it needs
running), speaks (which kinds of server can do it), options (for the server),
framework (the application's) and delay (seconds that the work waits).
"""

"""The WSGI behaviours (PEP 3333), asked over raw sockets.

An application stands beside the test that asks for it. app.py, in the
server's process, finds it by module and name; what it has to tell beyond its
response it notes, and the test takes the notes afterwards.
"""

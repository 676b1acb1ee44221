"""PEP 3333 behaviour of a server, seen by its client and by the application.

checks/NAME.py holds the checks of one subject; check.py is what a check is and
how an answer is judged.
"""

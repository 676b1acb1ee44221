"""Is a server right? Cases described as data, and what must become of them.

application/ is the application that the server serves, wire/ holds raw
conversations with it, http/ the HTTP/1.1 cases, wsgi/ the behaviours of
PEP 3333, faults/ what clients and processes do wrong. run.py asks a server all
of it; what a server is, it is told (subject.py). Knows HTTP and WSGI, and
nothing of any server's inside.
"""

from pathlib import Path

#: The folder to import the application from.
FOLDER = Path(__file__).parent / "application"
APPLICATION = "wsgibench_audit:application"
#: Of the servers of the list, made by `audit --scores` with docs/trust.md.
SCORES = Path(__file__).parent / "scores.json"

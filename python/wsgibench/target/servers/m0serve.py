"""m0serve: a server in Mojo, a program of its own."""

from __future__ import absolute_import

NAME = "m0serve"
REQUIRES = ["m0serve"]
INTERPRETERS = {"CPython": ">=3.10"}
HOLES = {
    "CPython": "m0serve needs CPython 3.10 or later",
    "PyPy": "m0serve embeds CPython",
}
CAPABILITIES = {"inherited_fd": False}
SETTINGS = {"keep_alive": True, "access_log": False}
OPTIONS = {"workers": 1}
BEST = "one worker, no handler threads; no end to a connection's requests"


def serve(app, sock, ready, options):
    import os
    import sys

    host, port = options["address"]
    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    program = os.path.join(os.path.dirname(sys.executable), "m0serve")
    command = [
        program,
        "--host",
        host,
        "--port",
        str(port),
        "--protocol",
        "wsgi",
        "--workers",
        str(options["workers"]),
        "--blocking-threads",
        "0",
        "--max-keepalive-requests",
        "0",
        "--app-dir",
        folder,
        "wsgibench_target.entry:application",
    ]
    ready(workers=options["workers"])
    os.execv(program, command)

"""Peregrine: a server in Swift, inside this interpreter."""

from __future__ import absolute_import

NAME = "peregrine"
REQUIRES = ["peregrine-server"]
INTERPRETERS = {"CPython": ">=3.10"}
HOLES = {
    "CPython": "Peregrine needs CPython 3.10 or later",
    "PyPy": "Peregrine is an extension for CPython",
}
CAPABILITIES = {"inherited_fd": False}
SETTINGS = {"keep_alive": True, "access_log": False}
OPTIONS = {"workers": 1, "wsgi_threads": 1}
BEST = "its defaults; more wsgi_threads for waiting"


def serve(app, sock, ready, options):
    import os

    import peregrine

    host, port = options["address"]
    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    arguments = [
        "--host",
        host,
        "--port",
        str(port),
        "--protocol",
        "wsgi",
        "--workers",
        str(options["workers"]),
        "--wsgi-threads",
        str(options["wsgi_threads"]),
        "--backlog",
        str(options["backlog"]),
        "--python-path",
        folder,
        "wsgibench_target.entry:application",
    ]
    ready(workers=options["workers"])
    peregrine.run(arguments)

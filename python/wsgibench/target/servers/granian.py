"""Granian: hyper and tokio in Rust, the application in one Python thread."""

from __future__ import absolute_import

NAME = "granian"
REQUIRES = ["granian"]
INTERPRETERS = {"CPython": ">=3.8", "PyPy": ">=3.11"}
HOLES = {
    "CPython": "Granian needs CPython 3.8 or later",
    "PyPy": "Granian has wheels for PyPy 3.11 only",
}
CAPABILITIES = {"inherited_fd": False}
SETTINGS = {"keep_alive": True, "access_log": False}
OPTIONS = {"workers": 1, "blocking_threads": 1}
BEST = "blocking_threads=1 for work that uses the CPU, more for waiting"


def serve(app, sock, ready, options):
    from granian import Granian

    host, port = options["address"]
    server = Granian(
        "wsgibench_target.entry:application",
        address=host,
        port=port,
        interface="wsgi",
        workers=options["workers"],
        blocking_threads=options["blocking_threads"],
        backlog=options["backlog"],
        log_enabled=False,
        websockets=False,
    )
    ready(backlog=server.backlog, workers=server.workers)
    server.serve()

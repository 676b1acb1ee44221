"""Syncless, HTTP by hand on its sockets."""

from __future__ import absolute_import

NAME = "syncless"
REQUIRES = []
INTERPRETERS = {"CPython": ">=2.7,<3"}
HOLES = {
    "CPython": "Syncless is written for Python 2; name a 2.7 that has it",
    "PyPy": "Syncless needs its own C extension and greenlets",
}
IMPORTS = "syncless.coio"
SYSTEM_SITE_PACKAGES = True
INSTALL = "docs/suites.md says how to build Syncless 0.25 into it"
SPEAKS = ["page", "raw", "logged"]
SETTINGS = {"keep_alive": False, "access_log": False}
BEST = "its defaults; backlog as everyone's"


def serve_work(work, sock, ready, options):
    import socket

    from syncless import coio
    from syncless.best_stackless import stackless
    from wsgibench_target.rawhttp import handler
    from wsgibench_target.servers._syncless import libraries

    handle = handler(work, options)
    listener = coio.nbsocket(
        socket.fromfd(sock.fileno(), sock.family, sock.type)
    )
    ready(**libraries())
    while True:
        stackless.tasklet(handle)(*listener.accept())

"""waitress: one loop, a pool of threads."""

from __future__ import absolute_import

NAME = "waitress"
REQUIRES = ["waitress"]
INTERPRETERS = "CPython >= 2.7, PyPy"
SETTINGS = {"keep_alive": True, "threads": 4, "connection_limit": 1000}


def serve(app, sock, ready, options):
    import waitress

    ready()
    waitress.serve(
        app, sockets=[sock], threads=4, connection_limit=1000, _quiet=True
    )

"""waitress: one loop, a pool of threads."""

from __future__ import absolute_import

NAME = "waitress"
REQUIRES = ["waitress"]
INTERPRETERS = {"CPython": ">=2.7", "PyPy": ">=2.7"}
SETTINGS = {"keep_alive": True, "access_log": False}
OPTIONS = {"threads": 4, "connection_limit": 1000}
BEST = "threads=4; connection_limit above the connections to come"


def serve(app, sock, ready, options):
    import waitress

    server = waitress.create_server(
        app,
        sockets=[sock],
        threads=options["threads"],
        connection_limit=options["connection_limit"],
    )
    ready(threads=server.adj.threads, poll=server.adj.asyncore_use_poll)
    server.run()

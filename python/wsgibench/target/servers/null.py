"""The ceiling: the same C core with a canned answer, no Python in the path."""

from __future__ import absolute_import

NAME = "null"
REQUIRES = ["wsgibench"]
INTERPRETERS = {"CPython": ">=3.9", "PyPy": ">=3.9"}
SPEAKS = ["page"]
SETTINGS = {"keep_alive": True, "access_log": False, "canned": True}
BEST = "nothing to set: it is the ceiling of the others"


def serve(app, sock, ready, options):
    from wsgibench_target import pages

    import wsgibench
    from wsgibench.native.signals import stopping

    fields = [("Server", "null"), ("Date", "Sun, 06 Nov 1994 08:49:37 GMT")]
    server = wsgibench.Server(app, sock=sock, backlog=-1)
    ready()
    with stopping(server.core, 5.0):
        server.core.canned(pages.message(app, fields))
    server.close()

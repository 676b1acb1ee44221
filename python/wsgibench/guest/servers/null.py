"""The ceiling: the same C core with a canned answer, no Python in the path."""

from __future__ import absolute_import

NAME = "null"
REQUIRES = ["wsgibench"]
INTERPRETERS = "CPython >= 3.9, PyPy >= 3.9"
SETTINGS = {"keep_alive": True, "access_log": False, "canned": True}


def canned(app):
    """What the application would answer, as octets."""
    head = []

    def start_response(status, headers, exc_info=None):
        head.append("HTTP/1.1 " + status)
        head.extend("%s: %s" % header for header in headers)

    body = b"".join(app({}, start_response))
    head.insert(1, "Server: null")
    head.insert(2, "Date: Sun, 06 Nov 1994 08:49:37 GMT")
    return "\r\n".join(head + ["", ""]).encode("latin-1") + body


def serve(app, sock, ready, options):
    import wsgibench
    from wsgibench.native.serve import stopping_on_signals

    server = wsgibench.Server(app, sock=sock, backlog=-1)
    ready()
    with stopping_on_signals(server.core, 5.0):
        server.core.canned(canned(app))
    server.close()

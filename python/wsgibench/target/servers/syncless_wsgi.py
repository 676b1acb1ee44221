"""Syncless, its WSGI server."""

from __future__ import absolute_import

NAME = "syncless-wsgi"
REQUIRES = []
INTERPRETERS = {"CPython": ">=2.7,<3"}
HOLES = {
    "CPython": "Syncless is written for Python 2; name a 2.7 that has it",
    "PyPy": "Syncless needs its own C extension and greenlets",
}
IMPORTS = "syncless.wsgi"
SYSTEM_SITE_PACKAGES = True
INSTALL = "docs/suites.md says how to build Syncless 0.25 into it"
SPEAKS = ["wsgi"]
SETTINGS = {"keep_alive": False, "access_log": False}
BEST = "its defaults; backlog as everyone's"


def serve(app, sock, ready, options):
    import socket

    from syncless import coio, wsgi
    from wsgibench_target.servers._syncless import libraries

    listener = coio.nbsocket(
        socket.fromfd(sock.fileno(), sock.family, sock.type)
    )
    ready(**libraries())
    wsgi.WsgiListener(listener, app)

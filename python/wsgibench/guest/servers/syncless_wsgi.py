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
INSTALL = "get its source (syncless 0.25) and run python2.7 setup.py install in it; it has all but greenlet or Stackless"
SPEAKS = ["wsgi"]
SETTINGS = {"keep_alive": False, "access_log": False}
BEST = "its defaults; backlog as everyone's"


def serve(app, sock, ready, options):
    import socket

    from syncless import coio, wsgi
    from syncless.best_stackless import stackless

    listener = coio.nbsocket(
        socket.fromfd(sock.fileno(), sock.family, sock.type)
    )
    ready(stackless=stackless.__name__)
    wsgi.WsgiListener(listener, app)

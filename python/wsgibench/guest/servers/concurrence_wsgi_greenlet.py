"""Concurrence 0.3, its WSGI server (greenlets)."""

from __future__ import absolute_import

NAME = "concurrence-wsgi-greenlet"
REQUIRES = []
INTERPRETERS = {"CPython": ">=2.7,<3"}
HOLES = {
    "CPython": "Concurrence is written for Python 2; name a 2.7 that has it",
    "PyPy": "Concurrence needs its own C extension and greenlets",
}
IMPORTS = "concurrence.http"
SYSTEM_SITE_PACKAGES = True
INSTALL = "get its source (concurrence 0.3.1) and run python2.7 setup.py install in it, with libevent 1.4, Pyrex and stackless or greenlet"
SPEAKS = ["wsgi"]
SETTINGS = {"keep_alive": False, "access_log": False}
BEST = "its defaults; backlog as everyone's"


def prepare():
    from wsgibench_guest.servers._concurrence import without_stackless

    without_stackless()


def serve(app, sock, ready, options):
    from wsgibench_guest.servers._concurrence import serve_wsgi

    serve_wsgi(app, sock, ready)

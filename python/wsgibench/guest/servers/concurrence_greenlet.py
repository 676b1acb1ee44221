"""Concurrence 0.3, HTTP by hand on its sockets (greenlets)."""

from __future__ import absolute_import

NAME = "concurrence-greenlet"
REQUIRES = []
INTERPRETERS = {"CPython": ">=2.7,<3"}
HOLES = {
    "CPython": "Concurrence is written for Python 2; name a 2.7 that has it",
    "PyPy": "Concurrence needs its own C extension and greenlets",
}
IMPORTS = "concurrence.io"
SYSTEM_SITE_PACKAGES = True
INSTALL = "get its source (concurrence 0.3.1) and run python2.7 setup.py install in it, with libevent 1.4, Pyrex and stackless or greenlet"
SPEAKS = ["page", "raw", "logged"]
SETTINGS = {"keep_alive": False, "access_log": False}
BEST = "its defaults; backlog as everyone's"


def prepare():
    from wsgibench_guest.servers._concurrence import without_stackless

    without_stackless()


def serve_work(work, sock, ready, options):
    from wsgibench_guest.servers._concurrence import serve_raw

    serve_raw(work, sock, ready, options)

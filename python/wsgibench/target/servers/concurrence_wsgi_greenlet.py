"""Concurrence 0.3, its WSGI server (greenlets)."""

from __future__ import absolute_import

NAME = "concurrence-wsgi-greenlet"
REQUIRES = []
INTERPRETERS = {"CPython": ">=2.7,<3"}
HOLES = {
    "CPython": "Concurrence is written for Python 2; name a 2.7 that has it",
    "Stackless": "greenlets end a Stackless by SIGSEGV; name a CPython 2.7",
    "PyPy": "Concurrence needs its own C extension and greenlets",
}
IMPORTS = "concurrence.http"
SYSTEM_SITE_PACKAGES = True
INSTALL = "docs/suites.md says how to build Concurrence 0.3.1 into it"
SPEAKS = ["wsgi"]
SETTINGS = {"keep_alive": False, "access_log": False}
BEST = "its defaults; backlog as everyone's"


def prepare():
    from wsgibench_target.servers._concurrence import without_stackless

    without_stackless()


def serve(app, sock, ready, options):
    from wsgibench_target.servers._concurrence import serve_wsgi

    serve_wsgi(app, sock, ready)

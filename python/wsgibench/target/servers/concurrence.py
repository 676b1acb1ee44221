"""Concurrence 0.3, HTTP by hand on its sockets (Stackless Python)."""

from __future__ import absolute_import

NAME = "concurrence"
REQUIRES = []
INTERPRETERS = {"Stackless": ">=2.7,<3"}
HOLES = {
    "CPython": "Concurrence's tasklets are Stackless Python's; name a Stackless 2.7",
    "PyPy": "Concurrence needs its own C extension and greenlets",
}
IMPORTS = "concurrence.io"
SYSTEM_SITE_PACKAGES = True
INSTALL = "docs/suites.md says how to build Concurrence 0.3.1 into it"
SPEAKS = ["page", "raw", "logged"]
SETTINGS = {"keep_alive": False, "access_log": False}
BEST = "its defaults; backlog as everyone's"


def prepare():
    import stackless  # noqa: F401  its absence is the last word


def serve_work(work, sock, ready, options):
    from wsgibench_target.servers._concurrence import serve_raw

    serve_raw(work, sock, ready, options)

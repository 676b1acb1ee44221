"""wsgibench's own server: one loop that also runs the application."""

from __future__ import absolute_import

NAME = "c-uv"
REQUIRES = ["wsgibench"]
INTERPRETERS = {"CPython": ">=3.9", "PyPy": ">=3.9"}
SETTINGS = {"keep_alive": True, "access_log": False}
OPTIONS = {"threads": 0, "workers": 1, "loops": 1, "supervised": 0}
BEST = "threads=0 while the application does not wait; loops without the GIL"


def serve(app, sock, ready, options):
    from wsgibench_target.servers._wsgibench import run

    run(app, sock, ready, options)

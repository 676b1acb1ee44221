"""gunicorn with its default, synchronous worker."""

from __future__ import absolute_import

NAME = "gunicorn-sync"
REQUIRES = ["gunicorn"]
INTERPRETERS = {"CPython": ">=2.7", "PyPy": ">=2.7"}
SETTINGS = {"keep_alive": False, "access_log": False}
OPTIONS = {"workers": 1}
BEST = "2 x CPUs + 1 workers; here one, as everyone"


def serve(app, sock, ready, options):
    from wsgibench_target.servers._gunicorn import run

    run(app, sock, ready, options, dict(worker_class="sync"))

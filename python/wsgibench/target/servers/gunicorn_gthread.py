"""gunicorn with its threaded worker."""

from __future__ import absolute_import

NAME = "gunicorn-gthread"
REQUIRES = ["gunicorn"]
INTERPRETERS = {"CPython": ">=3.6", "PyPy": ">=3.6"}
HOLES = {"CPython": "the threaded worker needs concurrent.futures (3.2)"}
SETTINGS = {"keep_alive": True, "access_log": False}
OPTIONS = {"workers": 1, "threads": 4}
BEST = "2-4 threads for each CPU"


def serve(app, sock, ready, options):
    from wsgibench_target.servers._gunicorn import run

    run(app, sock, ready, options, dict(worker_class="gthread", keepalive=75))

"""gunicorn with its threaded worker, one process."""

from __future__ import absolute_import

NAME = "gunicorn-gthread"
REQUIRES = ["gunicorn"]
INTERPRETERS = "CPython >= 3.6, PyPy"
SETTINGS = {"keep_alive": True, "workers": 1, "threads": 4}


def serve(app, sock, ready, options):
    from servers._gunicorn import run

    run(app, sock, ready, dict(worker_class="gthread", threads=4, keepalive=75))

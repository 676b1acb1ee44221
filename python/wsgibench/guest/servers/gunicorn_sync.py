"""gunicorn with its default, synchronous worker, one process."""

from __future__ import absolute_import

NAME = "gunicorn-sync"
REQUIRES = ["gunicorn"]
INTERPRETERS = "CPython >= 2.7, PyPy"
SETTINGS = {"keep_alive": False, "workers": 1, "access_log": False}


def serve(app, sock, ready, options):
    from servers._gunicorn import run

    run(app, sock, ready, dict(worker_class="sync"))

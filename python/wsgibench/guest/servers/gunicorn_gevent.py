"""gunicorn with its gevent worker, one process."""

from __future__ import absolute_import

NAME = "gunicorn-gevent"
REQUIRES = ["gunicorn", "gevent"]
INTERPRETERS = "CPython >= 2.7, PyPy"
SETTINGS = {"keep_alive": True, "workers": 1}


def serve(app, sock, ready, options):
    from servers._gunicorn import run

    run(app, sock, ready, dict(worker_class="gevent", keepalive=75))

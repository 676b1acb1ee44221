"""gunicorn with its Tornado worker."""

from __future__ import absolute_import

NAME = "gunicorn-tornado"
REQUIRES = ["gunicorn[tornado]"]
INTERPRETERS = {"CPython": ">=3.6", "PyPy": ">=3.6"}
HOLES = {"CPython": "its Tornado worker needs Tornado 5, which needs 3.5"}
SETTINGS = {"keep_alive": True, "access_log": False}
OPTIONS = {"workers": 1}
BEST = "one worker for each CPU"


def serve(app, sock, ready, options):
    from wsgibench_target.servers._gunicorn import run

    run(app, sock, ready, options, dict(worker_class="tornado", keepalive=75))

"""gunicorn's sync worker with its parser in C (gunicorn_h1c)."""

from __future__ import absolute_import

NAME = "gunicorn-h1c"
REQUIRES = ["gunicorn>=25", "gunicorn_h1c>=0.4.1"]
INTERPRETERS = {"CPython": ">=3.10"}
HOLES = {
    "CPython": "gunicorn with gunicorn_h1c needs CPython 3.10 or later",
    "PyPy": "gunicorn_h1c is an extension for CPython",
}
SETTINGS = {"keep_alive": False, "access_log": False}
OPTIONS = {"workers": 1}
BEST = "2 x CPUs + 1 workers; here one, as everyone"


def serve(app, sock, ready, options):
    from wsgibench_target.servers._gunicorn import run

    # "fast" fails where the extension is missing; "auto" would use the other.
    run(app, sock, ready, options, dict(worker_class="sync", http_parser="fast"))

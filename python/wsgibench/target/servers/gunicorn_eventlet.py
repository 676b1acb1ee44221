"""gunicorn with its eventlet worker."""

from __future__ import absolute_import

NAME = "gunicorn-eventlet"
# Later ones have no eventlet worker.
REQUIRES = [
    "gunicorn[eventlet]<24",
    # What gunicorn's last release for Python 2.7 imports went away in it.
    "eventlet<0.30.3; python_version < '3'",
]
INTERPRETERS = {"CPython": ">=2.7", "PyPy": ">=2.7"}
SETTINGS = {"keep_alive": True, "access_log": False}
OPTIONS = {"workers": 1}
BEST = "one worker for each CPU, the library patched"


def prepare():
    import eventlet

    eventlet.monkey_patch()


def serve(app, sock, ready, options):
    from wsgibench_target.servers._gunicorn import run

    run(app, sock, ready, options, dict(worker_class="eventlet", keepalive=75))

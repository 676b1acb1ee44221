"""gunicorn with its gevent worker."""

from __future__ import absolute_import

NAME = "gunicorn-gevent"
REQUIRES = ["gunicorn[gevent]"]
INTERPRETERS = {"CPython": ">=2.7", "PyPy": ">=2.7"}
SETTINGS = {"keep_alive": True, "access_log": False}
OPTIONS = {"workers": 1}
BEST = "one worker for each CPU, the library patched"


def prepare():
    from gevent import monkey

    monkey.patch_all()


def serve(app, sock, ready, options):
    from wsgibench_target.servers._gevent import loop
    from wsgibench_target.servers._gunicorn import run

    settings = dict(worker_class="gevent", keepalive=75)
    run(app, sock, ready, options, settings, loop=loop())

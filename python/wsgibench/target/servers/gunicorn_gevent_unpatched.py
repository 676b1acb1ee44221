"""gunicorn with its gevent worker, and the library left as it is: what blocks,
blocks all of a worker's requests."""

from __future__ import absolute_import

NAME = "gunicorn-gevent-unpatched"
REQUIRES = ["gunicorn[gevent]"]
INTERPRETERS = {"CPython": ">=2.7", "PyPy": ">=2.7"}
SETTINGS = {"keep_alive": True, "access_log": False}
OPTIONS = {"workers": 1}
BEST = "the library patched (gunicorn-gevent); this is to see what it is worth"


def serve(app, sock, ready, options):
    from gunicorn.workers import ggevent
    from wsgibench_target.servers._gevent import loop
    from wsgibench_target.servers._gunicorn import run

    class Unpatched(ggevent.GeventWorker):
        """Its patch() also makes gevent's sockets of the listeners, which
        it cannot do without."""

        def patch(self):
            patch_all = ggevent.monkey.patch_all
            ggevent.monkey.patch_all = lambda *arguments, **keywords: None
            try:
                ggevent.GeventWorker.patch(self)
            finally:
                ggevent.monkey.patch_all = patch_all

    settings = dict(worker_class=Unpatched, keepalive=75)
    run(app, sock, ready, options, settings, loop=loop())

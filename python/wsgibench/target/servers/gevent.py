"""gevent.pywsgi: a greenlet for each connection, one process."""

from __future__ import absolute_import

NAME = "gevent"
REQUIRES = [
    "gevent>=24.10.1; python_version >= '3.9'",
    "gevent; python_version < '3.9'",
]
INTERPRETERS = {"CPython": ">=2.7", "PyPy": ">=2.7"}
SETTINGS = {"keep_alive": True, "access_log": False, "workers": 1}
BEST = "the library patched, log=None, no pool limit"


def prepare():
    from gevent import monkey

    monkey.patch_all()


def serve(app, sock, ready, options):
    from gevent.pywsgi import WSGIServer
    from wsgibench_target.servers._gevent import listener, loop

    server = WSGIServer(listener(sock), app, log=None)
    ready(loop=loop())
    server.serve_forever()

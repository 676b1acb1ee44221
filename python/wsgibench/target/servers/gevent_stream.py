"""HTTP by hand on gevent's StreamServer."""

from __future__ import absolute_import

NAME = "gevent-stream"
REQUIRES = [
    "gevent>=24.10.1; python_version >= '3.9'",
    "gevent; python_version < '3.9'",
]
INTERPRETERS = {"CPython": ">=2.7", "PyPy": ">=2.7"}
SPEAKS = ["page", "raw", "logged"]
SETTINGS = {"keep_alive": True, "access_log": False}
BEST = "no pool limit"


def prepare():
    from gevent import monkey

    monkey.patch_all()


def serve_work(work, sock, ready, options):
    from gevent.server import StreamServer
    from wsgibench_target.rawhttp import handler
    from wsgibench_target.servers._gevent import listener, loop

    ready(loop=loop())
    StreamServer(listener(sock), handler(work, options)).serve_forever()

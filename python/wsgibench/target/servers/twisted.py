"""twisted.web with its WSGI resource and thread pool."""

from __future__ import absolute_import

NAME = "twisted"
REQUIRES = ["twisted"]
INTERPRETERS = {"CPython": ">=2.7", "PyPy": ">=2.7"}
SETTINGS = {"keep_alive": True, "access_log": False}
OPTIONS = {"threads": 10}
BEST = "the epoll reactor; the thread pool as large as the waiting needs"


def serve(app, sock, ready, options):
    from twisted.internet import reactor
    from twisted.web.server import Site
    from twisted.web.wsgi import WSGIResource
    from wsgibench_target.servers._twisted import listen, run

    reactor.suggestThreadPoolSize(options["threads"])
    pool = reactor.getThreadPool()
    listen(sock, Site(WSGIResource(reactor, pool, app)))
    run(ready, threads=pool.max)

"""twisted.web with its WSGI resource and thread pool."""

from __future__ import absolute_import

NAME = "twisted"
REQUIRES = ["twisted"]
INTERPRETERS = "CPython >= 2.7, PyPy"
SETTINGS = {"keep_alive": True, "access_log": False, "threads": 10}


def serve(app, sock, ready, options):
    import socket

    from twisted.internet import reactor
    from twisted.web.server import Site
    from twisted.web.wsgi import WSGIResource

    pool = reactor.getThreadPool()
    site = Site(WSGIResource(reactor, pool, app))
    site.log = lambda request: None
    sock.setblocking(False)
    reactor.adoptStreamPort(sock.fileno(), socket.AF_INET, site)
    ready()
    reactor.run()

"""twisted.web without WSGI: a resource of its own, as the PyPy survey used."""

from __future__ import absolute_import

NAME = "twisted-web"
REQUIRES = ["twisted"]
INTERPRETERS = "CPython >= 2.7, PyPy"
SETTINGS = {"keep_alive": True, "access_log": False}


def serve(app, sock, ready, options):
    import socket

    from twisted.internet import reactor
    from twisted.web.resource import Resource
    from twisted.web.server import Site

    body = []
    body.extend(app({}, lambda *args: None))

    class Page(Resource):
        isLeaf = True

        def render_GET(self, request):
            request.setHeader(b"content-type", b"text/html")
            return body[0]

    site = Site(Page())
    site.log = lambda request: None
    sock.setblocking(False)
    reactor.adoptStreamPort(sock.fileno(), socket.AF_INET, site)
    ready()
    reactor.run()

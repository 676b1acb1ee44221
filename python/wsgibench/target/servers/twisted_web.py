"""twisted.web without WSGI: a resource of its own, as the PyPy survey used."""

from __future__ import absolute_import

NAME = "twisted-web"
REQUIRES = ["twisted"]
INTERPRETERS = {"CPython": ">=2.7", "PyPy": ">=2.7"}
SPEAKS = ["page", "logged"]
SETTINGS = {"keep_alive": True, "access_log": False}
BEST = "the epoll reactor"


def serve_work(work, sock, ready, options):
    from twisted.web.resource import Resource
    from twisted.web.server import Site
    from wsgibench_target.servers._twisted import listen, run

    body = work.run()
    content_type = work.content_type.encode("ascii")
    log = open("/dev/null", "wb", 0) if options.get("log") else None

    class Page(Resource):
        isLeaf = True

        def render_GET(self, request):
            if log is not None:
                line = "info: connection from %s\n" % request.getClientIP()
                log.write(line.encode("ascii"))
            request.setHeader(b"content-type", content_type)
            return body

    listen(sock, Site(Page()))
    run(ready)

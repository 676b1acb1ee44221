"""cyclone: Tornado's interface on Twisted's reactor."""

from __future__ import absolute_import

NAME = "cyclone"
REQUIRES = ["twisted", "setuptools<81"]
# It asks for a Twisted of 2019 that does not build on what came after.
ALONE = [
    "cyclone==1.3; python_version >= '3'",
    "cyclone==1.1; python_version < '3'",
]
INTERPRETERS = {"CPython": ">=2.7", "PyPy": ">=2.7"}
SPEAKS = ["page", "logged"]
SETTINGS = {"keep_alive": True, "access_log": False}
BEST = "the epoll reactor, the log off"


def serve_work(work, sock, ready, options):
    import cyclone.web
    from wsgibench_target.servers._twisted import listen, run

    body = work.run()
    content_type = work.content_type
    log = open("/dev/null", "wb", 0) if options.get("log") else None

    class Page(cyclone.web.RequestHandler):
        def get(self, rest):
            if log is not None:
                line = "info: connection from %s\n" % self.request.remote_ip
                log.write(line.encode("ascii"))
            self.set_header("Content-Type", content_type)
            self.write(body)

    class Quiet(cyclone.web.Application):
        def log_request(self, handler):
            pass

    listen(sock, Quiet([("/(.*)", Page)]))
    run(ready)

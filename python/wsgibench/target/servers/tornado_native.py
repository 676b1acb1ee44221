"""Tornado's own request handler, one loop."""

from __future__ import absolute_import

NAME = "tornado-native"
REQUIRES = ["tornado"]
INTERPRETERS = {"CPython": ">=2.7", "PyPy": ">=2.7"}
SPEAKS = ["page", "logged"]
SETTINGS = {"keep_alive": True, "access_log": False, "workers": 1}
BEST = "one process for each CPU; the access log off"


def serve_work(work, sock, ready, options):
    import os

    from tornado.httpserver import HTTPServer
    from tornado.web import Application, RequestHandler
    from wsgibench_target.servers._tornado import run

    body = work.run()
    log = open(os.devnull, "wb", 0) if options.get("log") else None

    class Page(RequestHandler):
        def get(self, rest):
            if log is not None:
                line = "info: connection from %s\n" % self.request.remote_ip
                log.write(line.encode("ascii"))
            self.set_header("Content-Type", work.content_type)
            self.write(body)

    pages = [("/(.*)", Page)]
    run(sock, ready, lambda: HTTPServer(Application(pages)))

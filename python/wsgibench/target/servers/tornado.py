"""Tornado's HTTP server with its WSGI container, one loop."""

from __future__ import absolute_import

NAME = "tornado"
REQUIRES = ["tornado"]
INTERPRETERS = {"CPython": ">=2.7", "PyPy": ">=2.7"}
SETTINGS = {"keep_alive": True, "access_log": False, "workers": 1}
BEST = "one process for each CPU; the access log off"


def serve(app, sock, ready, options):
    from tornado.httpserver import HTTPServer
    from tornado.wsgi import WSGIContainer
    from wsgibench_target.servers._tornado import run

    run(sock, ready, lambda: HTTPServer(WSGIContainer(app)))

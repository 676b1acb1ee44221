"""Tornado's HTTP server with its WSGI container, one loop."""

from __future__ import absolute_import

NAME = "tornado"
REQUIRES = ["tornado"]
INTERPRETERS = "CPython >= 2.7, PyPy"
SETTINGS = {"keep_alive": True, "access_log": False, "workers": 1}


def serve(app, sock, ready, options):
    import logging

    from tornado.httpserver import HTTPServer
    from tornado.ioloop import IOLoop
    from tornado.wsgi import WSGIContainer

    logging.getLogger("tornado.access").setLevel(logging.ERROR)
    sock.setblocking(False)

    def start():
        server = HTTPServer(WSGIContainer(app))
        server.add_sockets([sock])
        ready()

    loop = IOLoop.current()
    loop.add_callback(start)
    loop.start()

"""The reference server of the standard library: one request at a time."""

from __future__ import absolute_import

NAME = "wsgiref"
REQUIRES = []
INTERPRETERS = {"CPython": ">=2.7", "PyPy": ">=2.7"}
SETTINGS = {"keep_alive": False, "access_log": False}
BEST = "nothing to set; the access log is off, as everyone's"


def serve(app, sock, ready, options):
    from wsgiref.simple_server import (
        ServerHandler,
        WSGIRequestHandler,
        WSGIServer,
    )

    class Handler(WSGIRequestHandler):
        def log_message(self, format, *args):
            pass  # a line per request is a setting, not the server's cost

    server = WSGIServer(sock.getsockname(), Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = sock
    server.server_name, server.server_port = sock.getsockname()[:2]
    server.setup_environ()
    server.set_app(app)
    ready(handler=ServerHandler.__name__)
    server.serve_forever()

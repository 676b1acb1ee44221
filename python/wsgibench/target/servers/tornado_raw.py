"""HTTP by hand on Tornado's TCPServer."""

from __future__ import absolute_import

NAME = "tornado-raw"
REQUIRES = ["tornado"]
INTERPRETERS = {"CPython": ">=2.7", "PyPy": ">=2.7"}
SPEAKS = ["page", "raw", "logged"]
SETTINGS = {"keep_alive": True, "access_log": False}
BEST = "one process for each CPU"


def serve_work(work, sock, ready, options):
    from tornado import gen
    from tornado.iostream import StreamClosedError
    from tornado.tcpserver import TCPServer
    from wsgibench_target.rawhttp import Page
    from wsgibench_target.servers._tornado import run

    page = Page(work, options)

    class Server(TCPServer):
        @gen.coroutine
        def handle_stream(self, stream, address):
            keep = True
            try:
                while keep:
                    head = yield stream.read_until(b"\r\n\r\n", max_bytes=65536)
                    data, keep = page.answer(head[:-4], address[0])
                    yield stream.write(data)
            except StreamClosedError:
                return
            stream.close()

    run(sock, ready, Server)

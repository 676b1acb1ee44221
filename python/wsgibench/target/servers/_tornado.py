"""What the Tornado adapters share."""

from __future__ import absolute_import


def run(sock, ready, make_server):
    """One loop with the server that ``make_server()`` makes inside it."""
    import logging

    import tornado
    from tornado.ioloop import IOLoop

    logging.getLogger("tornado.access").setLevel(logging.ERROR)
    sock.setblocking(False)
    kept = []

    def start():
        kept.append(make_server())
        kept[0].add_sockets([sock])
        loop = IOLoop.current()
        inner = getattr(loop, "asyncio_loop", loop)
        ready(tornado=tornado.version, loop=inner.__class__.__name__)

    loop = IOLoop.current()
    loop.add_callback(start)
    loop.start()


def pages(work, options, answer):
    """An application whose every page is what the coroutine function
    ``answer()`` gives."""
    import os

    from tornado import gen
    from tornado.web import Application, RequestHandler

    log = open(os.devnull, "wb", 0) if options.get("log") else None

    class Page(RequestHandler):
        @gen.coroutine
        def get(self, rest):
            if log is not None:
                line = "info: connection from %s\n" % self.request.remote_ip
                log.write(line.encode("ascii"))
            body = yield answer()
            self.set_header("Content-Type", work.content_type)
            self.write(body)

    return Application([("/(.*)", Page)], compress_response=False)


def cooperating(work):
    """A coroutine function that does the work with the loop's own clients."""
    from tornado import gen
    from tornado.httpclient import AsyncHTTPClient
    from wsgibench_target.work import Fetch

    @gen.coroutine
    def answer():
        steps = work.cooperates()
        step = next(steps)
        while not isinstance(step, bytes):
            if isinstance(step, Fetch):
                client = AsyncHTTPClient()
                response = yield client.fetch(step.url, ca_certs=step.ca or None)
                step = steps.send(response.body)
            else:
                step = steps.send((yield step))
        raise gen.Return(step)

    return answer


def serve_pages(work, sock, ready, options, answer):
    from tornado.httpserver import HTTPServer

    run(sock, ready, lambda: HTTPServer(pages(work, options, answer)))

"""HTTP by hand, for servers that only have a socket: the request line and
the fields are read, one page is the answer to everything."""

from __future__ import absolute_import

import os

from wsgibench_target import pages

#: More than any request of ours; who sends more is cut off.
MAX_HEAD = 65536


class Page(object):
    """The canned answers, and the line in the log of each."""

    def __init__(self, work, options):
        body = work.run()
        fields = [
            ("Content-Type", work.content_type),
            ("Content-Length", str(len(body))),
        ]
        self._keep = self._render(body, fields + [("Connection", "keep-alive")])
        self._close = self._render(body, fields + [("Connection", "close")])
        self._log = open(os.devnull, "wb", 0) if options.get("log") else None

    @staticmethod
    def _render(body, fields):
        def app(environ, start_response):
            start_response("200 OK", fields)
            return [body]

        return pages.message(app, [])

    def answer(self, head, client):
        """(bytes, whether the connection stays) for one request head."""
        if self._log is not None:
            line = "info: connection from %s\n" % (client,)
            self._log.write(line.encode("ascii"))
        line, _, fields = head.partition(b"\r\n")
        if line.count(b" ") != 2 or not line.startswith(b"GET /"):
            return b"HTTP/1.1 400 Bad Request\r\n\r\n", False
        fields = fields.lower()
        if line.endswith(b" HTTP/1.1"):
            keep = b"connection: close" not in fields
        else:
            keep = b"connection: keep-alive" in fields
        return (self._keep if keep else self._close), keep


def converse(page, recv, sendall, client):
    """The requests of one connection, with blocking calls."""
    buffered = b""
    while True:
        end = buffered.find(b"\r\n\r\n")
        if end < 0:
            block = recv(16384)
            if not block or len(buffered) > MAX_HEAD:
                return
            buffered += block
            continue
        head, buffered = buffered[:end], buffered[end + 4 :]
        data, keep = page.answer(head, client)
        sendall(data)
        if not keep:
            return


def handler(work, options):
    """A function of (connection, address) that serves and closes one."""
    page = Page(work, options)

    def handle(connection, address):
        try:
            converse(page, connection.recv, connection.sendall, address[0])
        except EnvironmentError:
            pass  # the client went away
        finally:
            connection.close()

    return handle

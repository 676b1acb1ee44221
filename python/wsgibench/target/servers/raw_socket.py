"""HTTP by hand on a plain socket: one connection at a time."""

from __future__ import absolute_import

NAME = "raw-socket"
REQUIRES = []
INTERPRETERS = {"CPython": ">=2.7", "PyPy": ">=2.7"}
SPEAKS = ["page", "raw", "logged"]
CAPABILITIES = {"sequential": True}
SETTINGS = {"keep_alive": False, "access_log": False}
BEST = "nothing to set; it serves one connection after another"


def serve_work(work, sock, ready, options):
    from wsgibench_target.rawhttp import Page, converse

    page = Page(work, options)
    sock.setblocking(True)
    ready()
    while True:
        connection, address = sock.accept()
        try:
            one_request(page, converse, connection, address)
        except EnvironmentError:
            pass  # the client went away
        finally:
            connection.close()


def one_request(page, converse, connection, address):
    """Only one: whoever kept the connection would keep everyone out."""

    class Closing(object):
        def answer(self, head, client):
            data, _ = page.answer(head + b"\r\nConnection: close", client)
            return data, False

    converse(Closing(), connection.recv, connection.sendall, address[0])

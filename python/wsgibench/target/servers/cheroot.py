"""cheroot, CherryPy's server: a pool of threads."""

from __future__ import absolute_import

NAME = "cheroot"
REQUIRES = ["cheroot"]
INTERPRETERS = {"CPython": ">=2.7", "PyPy": ">=2.7"}
SETTINGS = {"keep_alive": True, "access_log": False}
OPTIONS = {"threads": 10, "keep_alive_conn_limit": 1000}
BEST = "threads=10; room for all the connections that are kept"


def serve(app, sock, ready, options):
    from cheroot import wsgi

    class Server(wsgi.Server):
        def bind(self, family, type, proto=0):
            self.socket = sock
            self.bind_addr = sock.getsockname()[:2]

    server = Server(
        sock.getsockname()[:2],
        app,
        numthreads=options["threads"],
        request_queue_size=options["backlog"],
    )
    server.keep_alive_conn_limit = options["keep_alive_conn_limit"]
    ready(threads=server.numthreads)
    server.start()

"""meinheld: picoev and greenlets in C; the last release is of 2020."""

from __future__ import absolute_import

NAME = "meinheld"
REQUIRES = ["meinheld"]
INTERPRETERS = {"CPython": ">=2.7,<3.10"}
HOLES = {
    "CPython": "meinheld does not build on CPython 3.10 and later",
    "PyPy": "meinheld is written for the C API of CPython",
}
SETTINGS = {"access_log": False}
OPTIONS = {"keep_alive": 75}
BEST = "keep-alive on (its default is off), the access log off"


def serve(app, sock, ready, options):
    from meinheld import server

    server.set_access_logger(None)
    server.set_error_logger(None)
    server.set_keepalive(options["keep_alive"])
    server.listen(socket_fd=sock.fileno())
    ready(keep_alive=server.get_keepalive())
    server.run(app)

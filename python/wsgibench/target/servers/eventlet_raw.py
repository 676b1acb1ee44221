"""HTTP by hand on eventlet's sockets."""

from __future__ import absolute_import

NAME = "eventlet-raw"
REQUIRES = ["eventlet"]
INTERPRETERS = {"CPython": ">=2.7", "PyPy": ">=2.7"}
SPEAKS = ["page", "raw", "logged"]
SETTINGS = {"keep_alive": True, "access_log": False}
OPTIONS = {"max_size": 8192}
BEST = "a pool above the number of connections"


def prepare():
    import eventlet

    eventlet.monkey_patch()


def serve_work(work, sock, ready, options):
    import eventlet
    from eventlet.greenio import GreenSocket
    from wsgibench_target.rawhttp import handler

    listener = sock if isinstance(sock, GreenSocket) else GreenSocket(sock)
    ready(hub=eventlet.hubs.get_hub().__class__.__module__)
    eventlet.serve(
        listener, handler(work, options), concurrency=options["max_size"]
    )

"""eventlet's WSGI server: a green thread for each connection."""

from __future__ import absolute_import

NAME = "eventlet"
REQUIRES = ["eventlet"]
INTERPRETERS = {"CPython": ">=2.7", "PyPy": ">=2.7"}
SETTINGS = {"keep_alive": True, "access_log": False, "workers": 1}
OPTIONS = {"max_size": 8192}
BEST = "the library patched, a pool above the connections, log_output off"


def prepare():
    import eventlet

    eventlet.monkey_patch()


def serve(app, sock, ready, options):
    import eventlet.wsgi
    from eventlet.greenio import GreenSocket

    ready(hub=eventlet.hubs.get_hub().__class__.__module__)
    eventlet.wsgi.server(
        sock if isinstance(sock, GreenSocket) else GreenSocket(sock),
        app,
        log_output=False,
        max_size=options["max_size"],
    )

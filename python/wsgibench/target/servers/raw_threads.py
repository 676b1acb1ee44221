"""HTTP by hand on plain sockets: a thread for each connection."""

from __future__ import absolute_import

NAME = "raw-threads"
REQUIRES = []
INTERPRETERS = {"CPython": ">=2.7", "PyPy": ">=2.7"}
SPEAKS = ["page", "raw", "logged"]
CAPABILITIES = {"thread_per_connection": True}
SETTINGS = {"keep_alive": True, "access_log": False}
BEST = "nothing to set"


def serve_work(work, sock, ready, options):
    import threading

    from wsgibench_target.rawhttp import handler

    handle = handler(work, options)
    sock.setblocking(True)
    ready()
    while True:
        thread = threading.Thread(target=handle, args=sock.accept())
        thread.daemon = True
        thread.start()

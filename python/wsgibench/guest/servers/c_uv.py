"""wsgibench's own server, embedded as its documentation says."""

from __future__ import absolute_import

NAME = "c-uv"
REQUIRES = ["wsgibench"]
INTERPRETERS = "CPython >= 3.9, PyPy >= 3.9"
SETTINGS = {"keep_alive": True, "access_log": False, "threads": 0}


def serve(app, sock, ready, options):
    import wsgibench

    threads = int(options.get("threads", 0))
    server = wsgibench.Server(app, sock=sock, threads=threads, backlog=-1)
    ready(binding=wsgibench.native.preferred(), threads=threads)
    from wsgibench.native.serve import run_core, stopping_on_signals

    with stopping_on_signals(server.core, 5.0):
        run_core(server.core, threads)
    server.close()

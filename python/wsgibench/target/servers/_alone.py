"""The application called in the process, without a server: the baseline."""

from __future__ import absolute_import

NAME = "_alone"
REQUIRES = []
INTERPRETERS = {"CPython": ">=2.7", "PyPy": ">=2.7"}
SETTINGS = {"keep_alive": False, "access_log": False}
BEST = "nothing to set: it is what the others are held against"


def serve(app, sock, ready, options):
    """Serves as wsgiref does until a POST to options["control"] tells it to
    call the application by itself (wsgibench_target.baseline)."""
    from wsgibench_target import baseline
    from wsgibench_target.servers import wsgiref

    wsgiref.serve(baseline.Controlled(app, options), sock, ready, options)

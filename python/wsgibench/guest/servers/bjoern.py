"""bjoern: libev and an old http-parser."""

from __future__ import absolute_import

NAME = "bjoern"
REQUIRES = ["bjoern"]
INTERPRETERS = "CPython >= 2.7 (it needs libev-dev to build)"
SETTINGS = {"keep_alive": True, "access_log": False, "workers": 1}


def serve(app, sock, ready, options):
    import bjoern

    ready()
    bjoern.server_run(sock, app)

"""fastpysgi: libuv and llhttp; it binds by itself, to the same port."""

from __future__ import absolute_import

NAME = "fastpysgi"
REQUIRES = ["fastpysgi"]
INTERPRETERS = {"CPython": ">=3.8", "PyPy": ">=3.11"}
HOLES = {
    "CPython": "fastpysgi needs CPython 3.8 or later",
    "PyPy": "fastpysgi has wheels for PyPy 3.11 only",
}
CAPABILITIES = {"inherited_fd": False}
SETTINGS = {"keep_alive": True, "access_log": False, "workers": 1}
BEST = "its defaults; a larger backlog"


def serve(app, sock, ready, options):
    import fastpysgi

    host, port = options["address"]
    fastpysgi.server.backlog = options["backlog"]
    ready(backlog=fastpysgi.server.backlog)
    fastpysgi.run(app, host=host, port=port)

"""freastal: libuv and its own parser in C; it binds by itself."""

from __future__ import absolute_import

NAME = "freastal"
REQUIRES = ["freastal"]
INTERPRETERS = {"CPython": ">=3.9"}
HOLES = {
    "CPython": "freastal needs CPython 3.9 or later",
    "PyPy": "freastal is an extension for CPython",
}
CAPABILITIES = {"inherited_fd": False}
SETTINGS = {"keep_alive": True, "access_log": False, "workers": 1}
BEST = "its defaults"


def serve(app, sock, ready, options):
    import freastal

    host, port = options["address"]
    ready()
    freastal.serve(app, host=host, port=port, workers=1)

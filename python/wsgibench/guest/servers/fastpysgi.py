"""fastpysgi: libuv and llhttp; it binds by itself, to the same port."""

from __future__ import absolute_import

NAME = "fastpysgi"
REQUIRES = ["fastpysgi"]
INTERPRETERS = "CPython >= 3.8, PyPy >= 3.11"
SETTINGS = {"keep_alive": True, "access_log": False, "workers": 1}
CAPABILITIES = {"inherited_fd": False}


def serve(app, sock, ready, options):
    import fastpysgi

    host, port = options["address"]
    ready()
    fastpysgi.run(app, host=host, port=port)

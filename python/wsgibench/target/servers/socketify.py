"""socketify: uWebSockets through cffi; it binds by itself."""

from __future__ import absolute_import

NAME = "socketify"
REQUIRES = ["socketify"]
INTERPRETERS = {"CPython": ">=3.7", "PyPy": ">=3.7"}
HOLES = {"CPython": "socketify needs CPython 3.7 or later"}
PACKAGES = ["libuv1"]
CAPABILITIES = {"inherited_fd": False}
SETTINGS = {"keep_alive": True, "access_log": False, "workers": 1}
BEST = "its defaults; PyPy rather than CPython"


def serve(app, sock, ready, options):
    from socketify import WSGI, AppListenOptions

    host, port = options["address"]
    server = WSGI(app)
    server.listen(AppListenOptions(port=port, host=host), lambda config: None)
    ready()
    server.run()

"""bjoern: libev and an old http-parser."""

from __future__ import absolute_import

NAME = "bjoern"
REQUIRES = ["bjoern"]
INTERPRETERS = {"CPython": ">=2.7"}
HOLES = {"PyPy": "bjoern is written for the C API of CPython"}
PACKAGES = ["libev-dev"]
SETTINGS = {"keep_alive": True, "access_log": False, "workers": 1}
BEST = "nothing to set; one process for each CPU"


def serve(app, sock, ready, options):
    import bjoern

    ready()
    bjoern.server_run(sock, app)

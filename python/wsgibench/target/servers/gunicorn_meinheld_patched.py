"""gunicorn with meinheld's worker, the library patched by gevent: the
application then waits by a loop that meinheld does not turn."""

from __future__ import absolute_import

NAME = "gunicorn-meinheld-patched"
# The gevent that goes with meinheld's greenlet imports pkg_resources.
REQUIRES = [
    "gunicorn",
    "meinheld",
    "gevent; python_version < '3.10'",
    "setuptools<81",
]
INTERPRETERS = {"CPython": ">=2.7,<3.10"}
HOLES = {
    "CPython": "meinheld does not build on CPython 3.10 and later",
    "PyPy": "meinheld is written for the C API of CPython",
}
SETTINGS = {"keep_alive": False, "access_log": False}
OPTIONS = {"workers": 1}
BEST = "keep-alive off, as its worker has it"


def prepare():
    from gevent import monkey

    monkey.patch_all()


def serve(app, sock, ready, options):
    from wsgibench_target.servers import gunicorn_meinheld

    gunicorn_meinheld.serve(app, sock, ready, options)

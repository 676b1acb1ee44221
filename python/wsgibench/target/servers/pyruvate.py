"""Pyruvate: mio and httparse in Rust, a pool of Python threads."""

from __future__ import absolute_import

NAME = "pyruvate"
REQUIRES = ["pyruvate"]
INTERPRETERS = {"CPython": ">=3.9"}
HOLES = {
    "CPython": "Pyruvate needs CPython 3.9 or later",
    "PyPy": "Pyruvate is an extension for CPython",
}
CAPABILITIES = {"inherited_fd": False}
SETTINGS = {"keep_alive": True, "access_log": False}
OPTIONS = {"threads": 1}
BEST = "one thread for work that uses the CPU, more for waiting"


def serve(app, sock, ready, options):
    import pyruvate

    host, port = options["address"]
    ready(threads=options["threads"])
    pyruvate.serve(app, "%s:%d" % (host, port), options["threads"])

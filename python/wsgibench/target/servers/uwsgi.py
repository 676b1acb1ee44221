"""uWSGI: a C server with an embedded interpreter, in a process of its own."""

from __future__ import absolute_import

NAME = "uwsgi"
REQUIRES = ["uwsgi"]
INTERPRETERS = {"CPython": ">=2.7"}
HOLES = {"PyPy": "uWSGI's plugin for PyPy is not in its package"}
SETTINGS = {"keep_alive": False, "access_log": False}
OPTIONS = {"workers": 1, "threads": 1}
BEST = "--master, --die-on-term, no log; its --http-socket keeps nothing alive"


def serve(app, sock, ready, options):
    import os
    import sys

    program = os.path.join(os.path.dirname(sys.executable), "uwsgi")
    command = [
        program,
        "--http-socket",
        "fd://%d" % sock.fileno(),
        "--pythonpath",
        os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
        "--virtualenv",
        sys.prefix,
        "--module",
        "wsgibench_target.entry:application",
        "--master",
        "--die-on-term",
        "--disable-logging",
        "--need-app",
        # It closes after each answer; this says so to the client.
        "--add-header",
        "Connection: close",
        "--processes",
        str(options["workers"]),
    ]
    if options["threads"] > 1:
        command += ["--threads", str(options["threads"])]
    ready()
    if hasattr(os, "set_inheritable"):
        os.set_inheritable(sock.fileno(), True)
    os.execv(program, command)

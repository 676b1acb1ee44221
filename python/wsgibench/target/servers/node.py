"""Node.js' http server: the reference outside Python."""

from __future__ import absolute_import

NAME = "node"
REQUIRES = []
INTERPRETERS = {"CPython": ">=2.7", "PyPy": ">=2.7"}
SPEAKS = ["page", "logged"]
PROGRAM = "node"
PACKAGES = ["nodejs"]
SETTINGS = {"keep_alive": True, "access_log": False, "workers": 1}
BEST = "its defaults; cluster for more than one CPU"


def serve_work(work, sock, ready, options):
    """Python only hands the socket over; nothing of it stays."""
    import os
    import subprocess

    program = options["program"]
    script = os.path.join(
        os.path.dirname(os.path.abspath(__file__)), "_node.js"
    )
    version = subprocess.check_output([program, "--version"])
    if hasattr(os, "set_inheritable"):
        os.set_inheritable(sock.fileno(), True)
    log = "1" if options.get("log") else "0"
    ready(node=version.decode("ascii").strip())
    os.execv(
        program,
        [
            program,
            script,
            str(sock.fileno()),
            work.content_type,
            work.run().decode("latin-1"),
            log,
        ],
    )

"""The process under test: one server, one application, one inherited socket.

usage: python child.py '{"server": ..., "app": ..., "listen_fd": ...,
                         "ready_fd": ..., "options": {...}, ...}'

The application is one of apps/, or a foreign one: "module:name", with "chdir"
(the folder it lives in) and "sites" (folders of packages, .pth files and all).

Writes one JSON line to ready_fd before it serves: versions and the settings
that are in force. What it dies of goes to standard error.
"""

from __future__ import absolute_import

import importlib
import json
import os
import platform
import socket
import sys
import sysconfig

# Here and not by the path that Python starts with: a worker of a server that
# spawns runs this file once more.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from wsgibench_target import build  # noqa: E402


def read_back(listener):
    """What the kernel says of the listener."""
    settings = {"listen_fd": listener.fileno()}
    if hasattr(socket, "TCP_INFO") and listener.family == socket.AF_INET:
        # struct tcp_info: of a listener, tcpi_sacked is the backlog.
        import struct

        info = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
        settings["backlog"] = struct.unpack_from("I", info, 28)[0]
        settings["nodelay"] = listener.getsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY
        )
    return settings


def runtime():
    """Whether the GIL and the JIT are on, where a build can do without."""
    found = {}
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        found["gil"] = sys._is_gil_enabled()
    jit = getattr(sys, "_jit", None)
    if jit is not None and jit.is_available():
        found["jit"] = jit.is_enabled()
    return found


def inherited_socket(fd):
    """A socket object for the descriptor, on Python 2.7 too."""
    if sys.version_info[0] == 2:
        inner = socket.fromfd(fd, socket.AF_INET, socket.SOCK_STREAM)
        return socket.socket(_sock=inner)
    return socket.socket(fileno=fd)


def main(argv):
    task = json.loads(argv[1])
    os.environ["WSGIBENCH_TASK"] = argv[1]
    server = importlib.import_module(
        "wsgibench_target.servers." + build.module_name(task["server"])
    )
    options = dict(getattr(server, "OPTIONS", {}))
    options.update(task.get("options") or {})
    settings = dict(getattr(server, "SETTINGS", {}))
    if task["inherits"]:
        listener = inherited_socket(task["listen_fd"])
        settings.update(read_back(listener))
    else:
        listener = None

    def ready(**effective):
        """Called by the adapter when it is about to serve."""
        for name in getattr(server, "OPTIONS", {}):
            settings[name] = options[name]
        settings.update(effective)
        line = json.dumps(
            dict(
                runtime(),
                python=platform.python_version(),
                implementation=platform.python_implementation(),
                settings=settings,
                pid=os.getpid(),
            )
        )
        os.write(task["ready_fd"], line.encode("ascii") + b"\n")
        os.close(task["ready_fd"])

    if hasattr(server, "prepare"):
        server.prepare()  # patches the standard library before the app is in
    if hasattr(server, "serve_work"):
        server.serve_work(build.work(task)[1], listener, ready, options)
    else:
        server.serve(build.application(task), listener, ready, options)


if __name__ == "__main__":
    main(sys.argv)

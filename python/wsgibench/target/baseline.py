"""Calling an application without a server: what it answers, what it costs.

Order, to Controlled: {"requests": [{"method", "target", "headers", "body"
(base64)}], "order": [index ...], "seconds": s, "warmup": s, "second": bool}.

Its answer: {"answers": [[status line, headers, body (base64), error]]} when
"seconds" is 0, otherwise {"calls", "cpu_ns", "wall_ns", "routes": {index:
[calls, cpu_ns, wall_ns]}, "parts": [[calls, cpu_ns, wall_ns] ...]} of the calls
after the warm-up, and "user_ns" and "system_ns" of the process meanwhile, and
"queue_ns", in which its thread could run and had no CPU (0: not known).
"""

from __future__ import absolute_import

import base64
import io
import json
import resource
import sys
import time
from wsgiref.util import FileWrapper

try:
    from urllib.parse import unquote_to_bytes
except ImportError:
    from urllib import unquote as unquote_to_bytes

PY2 = sys.version_info[0] == 2
PART_SECONDS = 0.1


def used():
    """(user, system) nanoseconds of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return int(usage.ru_utime * 1e9), int(usage.ru_stime * 1e9)


def queued():
    """Nanoseconds that this thread waited for a CPU so far."""
    try:
        with open("/proc/self/schedstat") as file:
            return int(file.read().split()[1])
    except (IOError, IndexError, ValueError):
        return 0


if hasattr(time, "clock_gettime_ns"):

    def cpu_ns():
        return time.clock_gettime_ns(time.CLOCK_PROCESS_CPUTIME_ID)

    wall_ns = time.perf_counter_ns
else:

    def cpu_ns():
        return sum(used())

    def wall_ns():
        return int(time.time() * 1e9)


class Call(object):
    """One request as the environ that a server would make of it."""

    def __init__(self, request, options, second):
        target = request["target"]
        path, _, query = target.partition("?")
        path = unquote_to_bytes(path)
        host, port = options["address"]
        self.body = base64.b64decode(request.get("body") or "")
        # What a server may choose differs the second time: an answer that
        # depends on it is found to change.
        self._environ = {
            "REQUEST_METHOD": str(request["method"]),
            "SCRIPT_NAME": "",
            "PATH_INFO": path if PY2 else path.decode("latin-1"),
            "QUERY_STRING": str(query),
            "SERVER_NAME": "localhost" if second else host,
            "SERVER_PORT": "8000" if second else str(port),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "SERVER_SOFTWARE": "b/2" if second else "a/1",
            "REMOTE_ADDR": "127.0.0.1",
            "REMOTE_PORT": "40002" if second else "50001",
            "REMOTE_HOST": "",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": bool(second),
            "wsgi.multiprocess": bool(second),
            "wsgi.run_once": False,
            "wsgi.file_wrapper": FileWrapper,
            "wsgi.input_terminated": True,
        }
        for name, value in request["headers"]:
            key = str(name).upper().replace("-", "_")
            if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
                key = "HTTP_" + key
            if key in self._environ and key.startswith("HTTP_"):
                comma = "; " if key == "HTTP_COOKIE" else ","
                value = self._environ[key] + comma + value
            self._environ[key] = str(value)
        if self.body or request["method"] in ("POST", "PUT", "PATCH"):
            self._environ["CONTENT_LENGTH"] = str(len(self.body))

    def environ(self):
        made = dict(self._environ)
        made["wsgi.input"] = io.BytesIO(self.body)
        return made


def run(app, environ, keep):
    """(status line, headers, body): one call, up to close(). Without `keep`
    the content of a file wrapper is left to the server."""
    answer = ["", []]
    written = []

    def start_response(status, headers, exc_info=None):
        answer[:] = [status, headers]
        return written.append

    result = app(environ, start_response)
    try:
        if not keep and isinstance(result, FileWrapper):
            return answer[0], answer[1], b""
        body = b"".join(result)
    finally:
        if hasattr(result, "close"):
            result.close()
    return answer[0], answer[1], b"".join(written) + body


def answer(app, call):
    try:
        status, headers, body = run(app, call.environ(), True)
    except Exception as error:
        said = "%s: %s" % (type(error).__name__, error)
        return ["500 ", [], "", said]
    text = base64.b64encode(body).decode("ascii")
    return [status, [[str(n), str(v)] for n, v in headers], text, ""]


def clocks():
    """(CPU, wall) nanoseconds that reading them takes, which is no part of a
    call: of many the least."""
    found = []
    for _ in range(200):
        cpu, wall = cpu_ns(), wall_ns()
        now = wall_ns()
        found.append((cpu_ns() - cpu, now - wall))
    return min(one[0] for one in found), min(one[1] for one in found)


def timed(app, calls, order, seconds, warmup):
    """Calls in `order`, over and over; those of the warm-up do not count."""
    own_cpu, own_wall = clocks()
    totals = [[0, 0, 0] for _ in calls]
    parts = []
    turn, now = 0, wall_ns()
    measured = now + int(warmup * 1e9)
    end = measured + int(seconds * 1e9)
    before = None
    while now < end:
        warm = now < measured
        if before is None and not warm:
            before = used() + (queued(),)
        part = [0, 0, 0]
        until = min(now + int(PART_SECONDS * 1e9), measured if warm else end)
        while now < until:
            index = order[turn % len(order)]
            turn += 1
            environ = calls[index].environ()
            cpu, wall = cpu_ns(), wall_ns()
            try:
                run(app, environ, False)
            except Exception:
                pass  # its answer told of it
            now = wall_ns()
            cpu = cpu_ns() - cpu - own_cpu
            took = [1, max(0, cpu), max(0, now - wall - own_wall)]
            for n in range(3):
                part[n] += took[n]
                totals[index][n] += 0 if warm else took[n]
        if not warm:
            parts.append(part)
    after = used() + (queued(),)
    before = before or after
    return {
        "calls": sum(part[0] for part in parts),
        "cpu_ns": sum(part[1] for part in parts),
        "wall_ns": sum(part[2] for part in parts),
        "user_ns": after[0] - before[0],
        "system_ns": after[1] - before[1],
        "queue_ns": after[2] - before[2],
        "routes": dict((n, t) for n, t in enumerate(totals) if t[0]),
        "parts": parts,
    }


class Controlled(object):
    """The application, and behind one path the orders of the harness."""

    def __init__(self, app, options):
        self._app = app
        self._options = options

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"] != self._options.get("control"):
            return self._app(environ, start_response)
        size = int(environ["CONTENT_LENGTH"])
        order = json.loads(environ["wsgi.input"].read(size).decode("ascii"))
        text = json.dumps(self._obey(order)).encode("ascii")
        start_response("200 OK", [("Content-Length", str(len(text)))])
        return [text]

    def _obey(self, order):
        second = bool(order.get("second"))
        calls = [
            Call(request, self._options, second)
            for request in order["requests"]
        ]
        if not order["seconds"]:
            return {"answers": [answer(self._app, call) for call in calls]}
        return timed(
            self._app, calls, order["order"], order["seconds"], order["warmup"]
        )

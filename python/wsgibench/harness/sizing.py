"""How many workers and threads: which to try, cheapest first.

A worker of CPython (or PyPy) computes on one CPU at a time, so `rate` requests
of `cpu` seconds need at least rate x cpu / MOST_BUSY workers. By Little's law
rate x (cpu + wait) requests are under way on average, and each occupies a
thread. Less is not tried. What is cheapest is what holds the least memory:
workers first, threads second.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

#: Of a worker's CPU: above it queues grow without limit.
MOST_BUSY = 0.95
MOST_THREADS = 1024


@dataclass(frozen=True)
class Need:
    """Of the application: seconds of a request, requests a second."""

    rate: float
    cpu: float
    wait: float

    @property
    def workers(self) -> int:
        return max(1, math.ceil(self.rate * self.cpu / MOST_BUSY))

    @property
    def under_way(self) -> float:
        return self.rate * (self.cpu + self.wait)

    def threads(self, workers: int) -> int:
        return max(1, math.ceil(self.under_way / workers))


@dataclass(frozen=True)
class Size:
    workers: int
    threads: int

    def __str__(self) -> str:
        return "%d worker%s x %d thread%s" % (
            self.workers,
            "" if self.workers == 1 else "s",
            self.threads,
            "" if self.threads == 1 else "s",
        )


def steps(first: int, most: int) -> Iterator[int]:
    """first, and then half as much again each time."""
    count = first
    while count < most:
        yield count
        count = max(count + 1, count * 3 // 2)
    yield most


def least(
    holds: Callable[[Size], bool],
    need: Need,
    *,
    most_workers: int,
    most_threads: int = MOST_THREADS,
    threads_of: Sequence[int] = (),
) -> Size | None:
    """The fewest workers, and with them the fewest threads, that hold; None
    if nothing within the limits does. `threads_of`: (1,) for servers without
    threads."""
    for workers in range(need.workers, most_workers + 1):
        first = min(need.threads(workers), most_threads)
        if threads_of:
            if first > max(threads_of) or not holds(Size(workers, 1)):
                continue
            return Size(workers, 1)
        found = _threads(holds, workers, first, most_threads)
        if found is not None:
            return found
    return None


def _threads(
    holds: Callable[[Size], bool], workers: int, first: int, most: int
) -> Size | None:
    """Upwards until one holds, then halving down to the least."""
    failed = first - 1
    for threads in steps(first, most):
        if not holds(Size(workers, threads)):
            failed = threads
            if threads > 8 * first + 8:
                return None  # more of them do not help: it is not threads
            continue
        high = threads
        while high - failed > 1:
            middle = (failed + high) // 2
            if holds(Size(workers, middle)):
                high = middle
            else:
                failed = middle
        return Size(workers, high)
    return None


#: server -> (option of workers, option of threads); "" where it has none.
KNOBS = {
    "c-uv": ("workers", "threads"),
    "gunicorn-gthread": ("workers", "threads"),
    "gunicorn-sync": ("workers", ""),
    "granian": ("workers", "blocking_threads"),
    "uwsgi": ("workers", "threads"),
    "waitress": ("", "threads"),
}


def server_text(server: str, size: Size) -> str:
    """As `run --server` takes it."""
    workers, threads = KNOBS[server]
    text = server
    if workers:
        text += ":%s=%d" % (workers, size.workers)
    if threads:
        text += ":%s=%d" % (threads, _threads_of(server, size))
    return text


def _threads_of(server: str, size: Size) -> int:
    """One thread is the loop's own, where that runs the application."""
    return 0 if server == "c-uv" and size.threads == 1 else size.threads


def command_line(server: str, size: Size, app: str) -> str:
    """Ready to be run where the server is installed."""
    if app.endswith(")") and not app.endswith("()"):
        if server.startswith("gunicorn"):
            app = app.replace("'", '"')  # it stands in single quotes
        else:
            # The others call a factory without arguments, or none at all.
            module, _, call = app.partition(":")
            name = call.partition("(")[0].partition(".")[0]
            note = "  # wsgi.py: from %s import %s; app = %s"
            made = command_line(server, size, "wsgi:app")
            return made + note % (module, name, call)
    factory = app.endswith(")")
    plain = app[:-2] if factory else app
    if server == "c-uv":
        more = " --factory" if factory else ""
        return "python -m wsgibench serve %s%s --workers %d --threads %d" % (
            *(plain, more, size.workers, _threads_of(server, size)),
        )
    if server == "gunicorn-gthread":
        return (
            "gunicorn --worker-class gthread --workers %d --threads %d %s"
            % (
                *(
                    size.workers,
                    size.threads,
                    "'%s'" % app if factory else app,
                ),
            )
        )
    if server == "gunicorn-sync":
        quoted = "'%s'" % app if factory else app
        return "gunicorn --workers %d %s" % (size.workers, quoted)
    if server == "granian":
        more = " --factory" if factory else ""
        form = (
            "granian --interface wsgi --workers %d --blocking-threads %d%s %s"
        )
        return form % (size.workers, size.threads, more, plain)
    if server == "uwsgi":
        threads = " --threads %d" % size.threads if size.threads > 1 else ""
        form = (
            "uwsgi --http-socket :8000 --master --processes %d%s --module '%s'"
        )
        return form % (size.workers, threads, app)
    more = " --call" if factory else ""
    return "waitress-serve --threads=%d%s %s" % (size.threads, more, plain)

"""The numbers of a board as Prometheus reads them (text format 0.0.4)."""

from __future__ import annotations

from collections.abc import Iterator

from wsgibench.native.board import BUCKETS, CLASSES

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
STATUS = ("cut", "1xx", "2xx", "3xx", "4xx", "5xx")
#: (name, its name on the board, type, help)
SIMPLE = (
    ("workers", "workers", "gauge", "Worker processes."),
    ("connections", "connections", "gauge", "Connections that are open."),
    ("busy", "busy", "gauge", "Requests with the application."),
    ("connections_total", "accepted", "counter", "Connections accepted."),
    ("refused_total", "refused", "counter",
     "Messages that the server refused by itself."),
    ("timeouts_total", "timeouts", "counter",
     "Connections ended by a deadline."),
    ("resets_total", "resets", "counter",
     "Connections that clients ended in mid-message."),
    ("accept_errors_total", "accept_errors", "counter",
     "Connections that could not be accepted."),
    ("received_bytes_total", "bytes_in", "counter", "Bytes received."),
    ("sent_bytes_total", "bytes_out", "counter", "Bytes sent."),
    ("access_log_lost_lines_total", "log_lost", "counter",
     "Lines for which the access log had no room."),
)  # fmt: skip


def _head(name: str, kind: str, text: str) -> str:
    return "# HELP wsgibench_%s %s\n# TYPE wsgibench_%s %s\n" % (
        name,
        text,
        name,
        kind,
    )


def _histogram(
    name: str, labels: str, bounds: list[int], counts: list[int], us: int
) -> Iterator[str]:
    reached = 0
    comma = "," if labels else ""
    for bound, count in zip([*bounds, None], counts):
        reached += count
        edge = "+Inf" if bound is None else "%g" % (bound / 1e6)
        yield 'wsgibench_%s_bucket{%s%sle="%s"} %d\n' % (
            name,
            labels,
            comma,
            edge,
            reached,
        )
    braces = "{%s}" % labels if labels else ""
    yield "wsgibench_%s_sum%s %.6f\n" % (name, braces, us / 1e6)
    yield "wsgibench_%s_count%s %d\n" % (name, braces, reached)


def _lines(total: dict[str, list[int]], bounds: list[int]) -> Iterator[str]:
    for name, key, kind, text in SIMPLE:
        yield _head(name, kind, text)
        yield "wsgibench_%s %d\n" % (name, total[key][0])
    yield _head(
        "requests_total",
        "counter",
        "Answers by class of status; cut: without one.",
    )
    for label, count in zip(STATUS, total["answers"]):
        yield 'wsgibench_requests_total{status="%s"} %d\n' % (label, count)
    yield _head(
        "queue_seconds",
        "histogram",
        "From the last byte of a request to the application's call.",
    )
    yield from _histogram(
        "queue_seconds", "", bounds, total["queue"], total["queue_us"][0]
    )
    yield _head(
        "request_duration_seconds",
        "histogram",
        "From the last byte of a request to the end of its answer.",
    )
    for number in range(CLASSES):
        row = total["duration"][number * BUCKETS : (number + 1) * BUCKETS]
        yield from _histogram(
            "request_duration_seconds",
            'status="%s"' % STATUS[number],
            bounds,
            row,
            total["duration_us"][number],
        )


def text(total: dict[str, list[int]], bounds_us: list[int]) -> str:
    return "".join(_lines(total, bounds_us))

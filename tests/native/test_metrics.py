"""--metrics and --statsd-host, of real processes."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.native.process import (
    PATIENCE,
    Program,
    children,
    get,
    programs,
    serve_command,
    until,
)
from wsgibench.errors import UsageError
from wsgibench.native.board import LAYOUT, SIZE, Board
from wsgibench.native.statsd import Statsd
from wsgibench.services._process import free_port

Run = Callable[..., Program]
APP = """
import os
def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/die":
        os._exit(9)
    start_response("404 No" if path == "/no" else "200 OK", [])
    return [str(os.getpid()).encode()]
"""


@pytest.fixture
def run(binding: str, tmp_path: Path) -> Iterator[Run]:
    (tmp_path / "an_app.py").write_text(APP)
    with programs() as start:

        def serve(*arguments: str) -> Program:
            return start(
                serve_command("an_app", "--port=0", *arguments),
                {
                    "WSGIBENCH_BACKEND": binding,
                    "PYTHONDONTWRITEBYTECODE": "1",
                },
                tmp_path,
            )

        yield serve


SAMPLE = re.compile(r"(wsgibench_\w+)(?:\{(.*)\})? ([0-9.e+-]+)\Z")


def scrape(port: int) -> dict[str, float]:
    """name{labels} -> value; the form of every line is checked."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", "/metrics")
        response = connection.getresponse()
        assert response.status == 200
        kind = response.getheader("Content-Type") or ""
        assert kind.startswith("text/plain; version=0.0.4")
        text = response.read().decode()
    found: dict[str, float] = {}
    typed = set()
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            typed.add(line.split()[2])
        if line.startswith("#"):
            continue
        match = SAMPLE.match(line)
        assert match, line
        name, labels, value = match.groups()
        base = re.sub(r"_(bucket|sum|count)\Z", "", name)
        assert name in typed or base in typed, line
        key = name if labels is None else "%s{%s}" % (name, labels)
        assert key not in found
        found[key] = float(value)
    return found


def requests(found: dict[str, float], status: str) -> float:
    return found['wsgibench_requests_total{status="%s"}' % status]


def answers(found: dict[str, float]) -> tuple[float, float]:
    return requests(found, "2xx"), requests(found, "4xx")


@pytest.mark.parametrize("arguments", [(), ("--threads=2",)])
def test_one_process(run: Run, arguments: tuple[str, ...]) -> None:
    port = free_port()
    program = run("--metrics=127.0.0.1:%d" % port, *arguments)
    site = program.port()
    for path in ("/", "/no", "/"):
        get(site, path)
    with socket.create_connection(("127.0.0.1", site), 30) as sock:
        sock.sendall(b"nonsense\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 400 ")
        # Counted a little after their clients have them.
        until(lambda: answers(scrape(port)) == (2, 2), "the answers")
        found = scrape(port)
    assert found["wsgibench_refused_total"] == 1
    assert found["wsgibench_workers"] == 1
    assert found["wsgibench_access_log_lost_lines_total"] == 0
    assert found["wsgibench_queue_seconds_count"] == 3
    assert found['wsgibench_queue_seconds_bucket{le="+Inf"}'] == 3
    name = 'wsgibench_request_duration_seconds_%s{status="2xx"}'
    assert found[name % "count"] == 2
    assert found[name % "sum"] > 0
    edges = [
        value
        for key, value in found.items()
        if key.startswith("wsgibench_queue_seconds_bucket")
    ]
    assert edges == sorted(edges)
    assert len(edges) == 17
    assert get(port, "/elsewhere") == b"Metrics are at /metrics.\n"
    assert program.stop() == 0, program.text


def test_over_all_workers_and_those_before_them(run: Run) -> None:
    port = free_port()
    program = run("--metrics=%d" % port, "--workers=3", "--reuse-port")
    site = program.port()
    until(lambda: scrape(port)["wsgibench_workers"] == 3, "three workers")
    answered = set()
    for _ in range(60):
        answered.add(get(site, "/"))
    assert len(answered) > 1
    until(lambda: requests(scrape(port), "2xx") == 60, "60 answers")
    # One that dies takes nothing back: at most what it did in the last second
    # is lost, and that has been seen already.
    with contextlib.suppress(OSError, http.client.HTTPException):
        get(site, "/die")
    program.line("replacing it")
    until(lambda: scrape(port)["wsgibench_workers"] == 3, "a replacement")
    assert requests(scrape(port), "2xx") == 60
    # Nor do new ones.
    program.process.send_signal(signal.SIGHUP)
    until(
        lambda: not children(program.pid) & {int(pid) for pid in answered},
        "new workers",
    )
    until(lambda: scrape(port)["wsgibench_workers"] == 3, "only the new")
    assert requests(scrape(port), "2xx") == 60
    assert program.stop() == 0, program.text


def test_a_listener_of_a_unix_socket(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "metrics"
    program = run("--metrics=unix:%s" % path)
    program.port()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(30)
        sock.connect(str(path))
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert sock.makefile("rb").readline() == b"HTTP/1.1 200 OK\r\n"
    assert program.stop() == 0, program.text
    assert not path.exists()


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("--metrics=nonsense", "metrics is an address"),
        ("--statsd-host=nonsense", "statsd_host is HOST:PORT"),
        ("--statsd-host=127.0.0.1:0", "statsd_host is HOST:PORT"),
    ],
)
def test_wrong_use(run: Run, argument: str, words: str) -> None:
    program = run(argument)
    assert program.wait() == 2
    assert words in program.text


def test_a_port_that_is_taken(run: Run) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        program = run("--metrics=127.0.0.1:%d" % sock.getsockname()[1])
        assert program.wait() == 1
        assert "cannot listen on 127.0.0.1" in program.text


# statsd ---------------------------------------------------------------------


def test_statsd_is_told(run: Run) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(PATIENCE)
        program = run(
            "--statsd-host=127.0.0.1:%d" % sock.getsockname()[1],
            "--statsd-prefix=site",
            "--workers=2",
        )
        site = program.port()
        for path in ("/", "/no", "/", "/"):
            get(site, path)
        counts: dict[str, float] = {}
        timers = 0.0
        until_s = time.monotonic() + PATIENCE
        while counts.get("site.gunicorn.requests", 0) < 4:
            assert time.monotonic() < until_s, counts
            for line in sock.recv(65536).decode().splitlines():
                name, value = line.split(":")
                number, kind, rate = value.split("|")
                if kind == "c":
                    assert rate == "@1.0"
                    counts[name] = counts.get(name, 0) + float(number)
                else:
                    assert (name, kind) == (
                        "site.gunicorn.request.duration",
                        "ms",
                    )
                    timers += 1 / float(rate[1:])
        assert program.stop() == 0, program.text
    assert counts["site.gunicorn.request.status.200"] == 3
    assert counts["site.gunicorn.request.status.404"] == 1
    assert round(timers) == 4


def test_a_monitor_that_is_away(run: Run) -> None:
    program = run("--statsd-host=127.0.0.1:%d" % free_port())
    site = program.port()
    assert get(site, "/")
    assert program.stop() == 0
    assert "Traceback" not in program.text


def test_what_statsd_gets() -> None:
    metrics: dict[str, Any] = {
        "statuses": [0] * 500,
        "duration": [[0] * 17 for _ in range(6)],
        "duration_us": [0] * 6,
    }
    statsd = Statsd("127.0.0.1:9", "p.", "site:a,zone:b")
    with contextlib.closing(statsd):
        assert statsd.lines(metrics) == []
        metrics["statuses"] = [0] * 500
        metrics["statuses"][100] = 2
        metrics["duration"][2][3] = 2
        metrics["duration_us"] = [0, 0, 5000, 0, 0, 0]
        assert statsd.lines(metrics) == [
            "p.gunicorn.request.status.200:2|c|@1.0|#site:a,zone:b",
            "p.gunicorn.requests:2|c|@1.0|#site:a,zone:b",
            "p.gunicorn.request.duration:2.500|ms|@0.5|#site:a,zone:b",
        ]
        assert statsd.lines(metrics) == []
    with pytest.raises(UsageError):
        Statsd("localhost")


# Shared memory --------------------------------------------------------------


def test_what_the_dead_have_counted_is_kept() -> None:
    board = Board(8)
    board.write(5, range(1, SIZE + 1))
    board.write(0, [1] * SIZE)
    before = board.total()
    board.retire(5)
    after = board.total()
    for name, numbers in before.items():
        if name in ("workers", "connections", "busy"):
            assert after[name] == [1]
        else:
            assert after[name] == numbers
    assert [len(after[name]) for name in LAYOUT] == list(LAYOUT.values())


def test_places_are_seen_from_another_process() -> None:
    board = Board(2)
    pid = os.fork()
    if pid == 0:
        board.write(1, [7] * SIZE)
        os._exit(0)
    os.waitpid(pid, 0)
    assert board.total()["bytes_in"] == [7]

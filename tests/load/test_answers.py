"""Answers that are right in an unusual way, and peers that mean harm."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any, Callable

import pytest

from tests.load.raw import OK, Raw

Load = Callable[..., dict[str, Any]]


@pytest.fixture
def raw() -> Iterator[Callable[..., Raw]]:
    servers: list[Raw] = []

    def start(*answers: Any, **more: Any) -> Raw:
        if answers and isinstance(answers[0], bytes):
            (said,) = answers
            answers = (lambda asked, data: said * data.count(b"\r\n\r\n"),)
        servers.append(Raw(*answers, **more))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 2 ",
        b"Content-Length:2",
        b"Content-Length:\t 2\t ",
        b"content-length:     2",
        b"Transfer-Encoding: chunked ",
        b"Transfer-Encoding:\tchunked\t",
        b"Connection: keep-alive ",
        b"Content-Length:\r\n 2",  # RFC 9112 5.2: a fold is a blank
        b"Transfer-Encoding: gzip,\r\n\tchunked",
        b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked ,",
        b"Connection:\r\n keep-alive",
    ],
)
def test_blanks_stand_on_both_sides(
    load: Load, raw: Callable[..., Raw], head: bytes
) -> None:
    """RFC 9110 5.5: OWS field-value OWS."""
    body = b"2\r\nok\r\n0\r\n\r\n" if b"chunked" in head else b"ok"
    more = b"Content-Length: 2\r\n" if b"Connection" in head else b""
    answer = b"HTTP/1.1 200 OK\r\n" + more + head + b"\r\n\r\n" + body
    result = load(raw(answer).url, requests=20, expect_body=b"ok")
    assert result["classes"]["ok"] == 20
    assert result["connections"]["connects"] == 1


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length : 2",
        b"Content-Length: 2 2",
        b" X: 1",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: gzip\r\nContent-Length: 2",
    ],
)
def test_what_is_no_head(
    load: Load, raw: Callable[..., Raw], head: bytes
) -> None:
    answer = b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\nok"
    result = load(raw(answer).url, requests=3)
    assert result["classes"]["parse_error"] == 3


def test_a_request_that_says_close_is_the_last(
    load: Load, raw: Callable[..., Raw]
) -> None:
    """RFC 9112 9.6. The server here does not close: we do."""
    server = raw(OK)
    result = load(
        server.url,
        requests=12,
        connections=2,
        pipeline=4,
        extra_headers=(("Connection", "foo, Close"),),
    )
    assert result["classes"]["ok"] == 12
    assert [part.count(b"GET ") for part in server.received] == [1] * 12


@pytest.mark.parametrize(
    ("version", "fields", "is_kept"),
    [
        (b"1.1", [b"Connection: close", b"Connection: foo"], False),
        (b"1.1", [b"Connection: foo", b"Connection: CLOSE"], False),
        (b"1.1", [b"Connection: close", b"Connection: keep-alive"], False),
        (b"1.1", [b"Connection: foo,\r\n close"], False),
        (b"1.1", [b"Connection: closed", b"X-Connection: close"], True),
        (b"1.0", [b"Connection: Keep-Alive", b"Connection: foo"], True),
        (b"1.0", [b"Connection: keep-alive", b"Connection: close"], False),
        (b"1.0", [], False),
        (b"1.1", [], True),
    ],
)
def test_a_server_says_whether_it_closes(
    load: Load,
    raw: Callable[..., Raw],
    version: bytes,
    fields: list[bytes],
    is_kept: bool,
) -> None:
    """RFC 9112 9.3, in fields that are one list (RFC 9110 5.3). The server
    here does not close."""
    lines = [b"HTTP/%s 200 OK" % version, b"Content-Length: 2", *fields]
    server = raw(b"\r\n".join([*lines, b"", b"ok"]))
    result = load(server.url, requests=4)
    assert result["classes"]["ok"] == 4
    asked = [one.count(b"\r\n\r\n") for one in server.received]
    assert asked == ([4] if is_kept else [1] * 4)


@pytest.mark.parametrize(
    "body",
    [
        b"2  \r\nok\r\n0 \r\n\r\n",  # RFC 9112 7.1.1: BWS
        b"2\t; a=b\r\nok\r\n0;x\r\n\r\n",
        b"0002\r\nok\r\n00\r\nX: y\r\n\r\n",
        b"2\r\nok\r\n0\r\nX: y\n\n",
    ],
)
def test_chunks_as_servers_write_them(
    load: Load, raw: Callable[..., Raw], body: bytes
) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    result = load(raw(head + body).url, requests=5, expect_body=b"ok")
    assert result["classes"]["ok"] == 5
    assert result["connections"]["connects"] == 1


def test_another_coding_ends_with_the_connection(
    load: Load, raw: Callable[..., Raw]
) -> None:
    """RFC 9112 6.3."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"
    server = raw(lambda asked, data: head + b"ok" if asked else None)
    server.answers_once = True
    result = load(server.url, requests=3, expect_length=2)
    assert result["classes"]["ok"] == 3


def test_a_late_answer_is_a_timeout(
    load: Load, raw: Callable[..., Raw]
) -> None:
    """Also one that comes before the clock was looked at."""
    result = load(raw(OK).url, requests=5, timeout=1e-9)
    assert result["classes"]["timeout"] == 5


def test_an_answer_to_what_was_not_sent_yet(
    load: Load, raw: Callable[..., Raw]
) -> None:
    """A flood of answers while the requests behind the first ones wait."""
    server = raw(lambda asked, data: OK * 5_000)
    result = load(
        server.url,
        requests=200,
        pipeline=200,
        method="POST",
        body=b"x" * 99999,
    )
    assert result["service"]["max_ns"] < 60e9
    assert result["classes"]["ok"] < 200


@pytest.mark.parametrize("rate", [0, 20_000])
def test_requests_behind_a_close_are_sent_again(
    load: Load, raw: Callable[..., Raw], rate: float
) -> None:
    """Each connection answers three requests and says close with the third:
    what is behind it was not read (RFC 9112 9.6)."""
    close = OK.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n")

    def serve(conn: socket.socket) -> None:
        received = b""
        while data := conn.recv(65536):
            received += data
            if received.count(b"\r\n\r\n") >= 3:
                break
        conn.sendall(OK + OK + close)
        conn.shutdown(1)
        while conn.recv(65536):
            pass

    result = load(
        raw(serve=serve).url,
        requests=30,
        duration=20,
        connections=1,
        pipeline=8,
        rate=rate,
    )
    assert result["classes"]["ok"] == 30
    assert result["connections"]["sent_again"] >= (20 if not rate else 1)
    # The open loop keeps its connections, so it dials once more.
    assert result["connections"]["connects"] in (10, 11)


@pytest.mark.parametrize(
    ("said", "stray"),
    [
        (b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n", 0),
        (b"HTTP/1.0 408 Request Time-out\r\n\r\n", 0),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", 1),
        (b"408", 1),
    ],
)
def test_a_server_may_say_that_it_waits_no_longer(
    load: Load, raw: Callable[..., Raw], said: bytes, stray: int
) -> None:
    """Before it closes an idle connection (RFC 9110 15.5.9); anything else
    that nobody asked for is a fault."""

    def serve(conn: socket.socket) -> None:
        # At once: a request that is on its way then would have no answer.
        if conn.recv(65536):
            conn.sendall(OK + said)

    result = load(raw(serve=serve).url, requests=5, connections=1)
    assert result["classes"]["ok"] == 5
    found = result["connections"]
    # The load may be over before the last connection says it.
    assert 4 <= found["closes_seen" if not stray else "stray"] <= 5
    assert found["stray"] == 0 or stray
    codes = [one["code"] for one in result["doubts"]]
    assert ("wrong-answers" in codes) == bool(stray)


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx: ",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1 ",
        b"HTTP/1.1 200 OK\r\nX: ",
        b"",
        b"SSH-2.0 ",
    ],
)
def test_a_line_without_end_is_no_answer(
    load: Load, raw: Callable[..., Raw], start: bytes
) -> None:
    """An extension, a trailer, a header, and what is no HTTP at all."""
    result = load(
        raw(lambda asked, data: start + b"x" * (1 << 20)).url,
        requests=1,
        timeout=60,
    )
    assert result["classes"]["parse_error"] == 1
    assert result["samples"][0]["bytes"]


def test_something_else_is_seen_at_once(
    load: Load, raw: Callable[..., Raw]
) -> None:
    """It waits for us to speak, as we would wait for its end of line."""
    result = load(raw(b"220 mail").url, requests=1, timeout=60)
    assert result["classes"]["parse_error"] == 1
    assert result["samples"][0]["bytes"] == "220 mail"


def test_a_timeout_shows_what_had_come(
    load: Load, raw: Callable[..., Raw]
) -> None:
    result = load(
        raw(b"HTTP/1.1 200 OK\r\nServer: slow").url, requests=1, timeout=0.3
    )
    assert result["classes"]["timeout"] == 1
    assert result["samples"][0]["bytes"].endswith("Server: slow")


@pytest.mark.parametrize("connections", [1, 3])
@pytest.mark.parametrize(
    ("start", "fill"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * (4 << 20)),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100_000),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"8000\r\n" + b"x" * 0x8000 + b"\r\n",
        ),
    ],
)
def test_a_flood_ends_with_its_timeout(
    load: Load,
    raw: Callable[..., Raw],
    start: bytes,
    fill: bytes,
    connections: int,
) -> None:
    """A peer that sends faster than we read must not hold the clock up."""

    def serve(conn: socket.socket) -> None:
        conn.settimeout(5)
        conn.recv(65536)
        conn.sendall(start)
        while not closing.is_set():
            conn.sendall(fill)

    closing = threading.Event()
    url = raw(serve=serve).url
    began = time.monotonic()
    try:
        result = load(
            url,
            duration=0.5,
            drain=0.3,
            timeout=0.4,
            connections=connections,
        )
    finally:
        closing.set()
    assert time.monotonic() - began < 60
    assert result["classes"]["timeout"] >= 1
    assert result["classes"]["ok"] == 0


def test_statuses_are_counted_and_several_expected(
    load: Load, raw: Callable[..., Raw]
) -> None:
    lines = [b"200 OK", b"204 No Content", b"302 Found", b"404 Not Found"]

    def answer(asked: int, data: bytes) -> bytes:
        said = b"HTTP/1.1 " + lines[asked % 4] + b"\r\n"
        if asked % 4 != 1:
            said += b"Content-Length: 0\r\n"
        return said + b"\r\n"

    result = load(raw(answer).url, requests=40, expect_status=(200, 204, 302))
    assert result["statuses"] == {"200": 10, "204": 10, "302": 10, "404": 10}
    assert result["classes"]["ok"] == 30
    assert result["classes"]["bad_status"] == 10


# -- addresses


def test_the_next_address_is_tried(
    load: Load, raw: Callable[..., Raw]
) -> None:
    """localhost is ::1 first, and the server has 127.0.0.1 only."""
    server = raw(OK)
    rule = "host.test:%d:[::1],127.0.0.1" % server.port
    result = load(
        "http://host.test:%d/" % server.port,
        requests=60,
        connections=4,
        per_connection=5,
        resolve=(rule,),
    )
    assert result["classes"]["ok"] == 60
    # One is counted for each connection, however many addresses it took.
    assert result["connections"]["connects"] == len(server.received)
    assert b"Host: host.test:%d" % server.port in server.received[0]


def test_all_addresses_get_their_share(
    load: Load, raw: Callable[..., Raw]
) -> None:
    server = raw(OK, host="0.0.0.0")
    rule = "h.test:%d:127.0.0.1,127.0.0.2,127.0.0.3" % server.port
    result = load(
        "http://h.test:%d/" % server.port,
        requests=90,
        connections=9,
        resolve=(rule,),
    )
    assert result["classes"]["ok"] == 90
    counts = [server.reached.count("127.0.0.%d" % i) for i in (1, 2, 3)]
    assert counts == [3, 3, 3]


def test_nobody_at_any_address_is_refused_once(
    load: Load, raw: Callable[..., Raw]
) -> None:
    server = raw(OK)
    server.close()
    rule = "h.test:%d:127.0.0.1,127.0.0.2" % server.port
    result = load(
        "http://h.test:%d/" % server.port, duration=0.3, resolve=(rule,)
    )
    classes = result["classes"]
    assert classes["refused"] == result["scheduled"] > 0


def test_connect_to(load: Load, raw: Callable[..., Raw]) -> None:
    server = raw(OK)
    load(
        "http://example.org/x",
        requests=2,
        connect_to="127.0.0.1:%d" % server.port,
    )
    assert server.received[0].startswith(b"GET /x HTTP/1.1\r\nHost: example.")


# -- think time and stages


def test_think_time(load: Load, raw: Callable[..., Raw]) -> None:
    result = load(raw(OK).url, connections=2, requests=12, think=(0.05, 0.07))
    assert result["classes"]["ok"] == 12
    # Five pauses on each of the two; none before the first request.
    assert result["duration_s"] >= 5 * 0.05
    # And they are no part of the response time.
    assert result["response"]["p50_ns"] < 50e6


def test_think_time_without_keepalive(
    load: Load, raw: Callable[..., Raw]
) -> None:
    result = load(raw(OK).url, requests=5, think=(0.05, 0.05), keepalive=False)
    assert result["connections"]["connects"] == 5
    assert result["duration_s"] >= 4 * 0.05


@pytest.mark.parametrize("processes", [1, 3])
@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({"stages": ((0.5, 0.0, 400.0), (0.5, 400.0, 400.0))}, 300),
        ({"stages": ((0.5, 400.0, 400.0), (0.5, 0.0, 0.0))}, 200),
        ({"duration": 1.0, "rate": 0.0, "rate_end": 400.0}, 200),
        ({"duration": 1.0, "rate": 400.0, "rate_end": 0.0}, 200),
    ],
)
def test_stages(
    load: Load,
    raw: Callable[..., Raw],
    fields: dict[str, Any],
    count: int,
    processes: int,
) -> None:
    """As many as the integral of the rate, within one for each process."""
    result = load(
        raw(OK).url,
        poisson=False,
        connections=6,
        processes=processes,
        drain=10,
        timeout=10,
        **fields,
    )
    assert abs(result["scheduled"] - count) <= processes
    assert result["asked"]["mean_rate"] == pytest.approx(count)


@pytest.mark.parametrize(
    ("requests", "connections", "processes"), [(1, 2, 2), (5, 8, 8), (7, 3, 3)]
)
def test_fewer_requests_than_processes(
    load: Load,
    raw: Callable[..., Raw],
    requests: int,
    connections: int,
    processes: int,
) -> None:
    result = load(
        raw(OK).url,
        requests=requests,
        connections=connections,
        processes=processes,
        duration=60,
    )
    assert result["classes"]["ok"] == result["scheduled"] == requests


def test_the_clock_is_watched_and_work_is_counted(
    load: Load, raw: Callable[..., Raw]
) -> None:
    """At a rate that nobody reaches the watching must not take all."""
    result = load(
        raw(OK).url, rate=200_000, duration=0.5, connections=8, drain=0.1
    )
    assert result["classes"]["ok"] > 0
    assert result["client_cpu_us_per_request"] > 1
    assert result["client_cpu_share"] > 0.01

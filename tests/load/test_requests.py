"""What is sent, as a server received it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.load.raw import OK, Raw
from wsgibench.errors import UsageError, WsgibenchError
from wsgibench.load.render import render
from wsgibench.load.spec import LoadSpec

Load = Callable[..., dict[str, Any]]
Golden = Callable[..., Any]


def sent(
    load: Load, golden: Golden, **fields: Any
) -> tuple[list[str], dict[str, Any]]:
    """The requests that a server got, and its account."""
    server = golden(keep=100_000)
    url = server.url.rstrip("/") + fields.pop("path", "/")
    fields.setdefault("requests", 20)
    fields = {"duration": 60, "timeout": 60, "drain": 60, **fields}
    result = load(url, **fields)
    assert result["classes"]["ok"] == result["scheduled"], result["samples"]
    account = server.account()
    assert account["requests"] == fields["requests"]
    return account["kept"], account


def test_a_request_is_what_it_should_be(load: Load, golden: Golden) -> None:
    kept, _ = sent(load, golden, path="/a/b?c=d", requests=1)
    lines = kept[0].split("\r\n")
    assert lines[0] == "GET /a/b?c=d HTTP/1.1"
    assert lines[1].startswith("Host: 127.0.0.1:")
    assert lines[-2:] == ["", ""]


def test_header_sets(load: Load, golden: Golden, tmp_path: Path) -> None:
    kept, _ = sent(load, golden, requests=1, headers="cookies-4k")
    cookie = [line for line in kept[0].split("\r\n") if "Cookie" in line]
    assert len(cookie) == 1
    assert 4096 <= len(cookie[0]) < 4200
    path = tmp_path / "headers"
    path.write_text("X-One: 1\n\nX-Two: zwei \n")
    kept, _ = sent(
        load,
        golden,
        requests=1,
        headers="@%s" % path,
        extra_headers=(("X-Three", "3"), ("Host", "example.org")),
    )
    assert "\r\nX-One: 1\r\nX-Two: zwei\r\nX-Three: 3\r\n" in kept[0]
    assert kept[0].count("Host: ") == 1


def test_seq_counts_through_ten_thousand(load: Load, golden: Golden) -> None:
    """Published: 10,000 URLs one by one, a new connection each."""
    kept, account = sent(
        load,
        golden,
        path="/p{seq}",
        requests=10_000,
        per_connection=1,
    )
    targets = [request.split(" ")[1] for request in kept]
    assert targets == ["/p%d" % number for number in range(10_000)]
    assert account["per_connection"] == [1] * 10_000


def test_weights_are_exact(load: Load, golden: Golden, tmp_path: Path) -> None:
    path = tmp_path / "urls"
    path.write_text(
        "# what\n6 /often\n3 post /sometimes?x=1\n\n/rarely # once\n"
    )
    kept, _ = sent(
        load, golden, url_list=str(path), requests=2000, connections=5
    )
    counts = Counter(request.split(" HTTP")[0] for request in kept)
    assert counts == {
        "GET /often": 1200,
        "POST /sometimes?x=1": 600,
        "GET /rarely": 200,
    }
    assert len({tuple(kept[i : i + 3]) for i in range(0, 30, 3)}) > 3


def test_seed_decides_the_order(tmp_path: Path) -> None:
    path = tmp_path / "urls"
    path.write_text("2 /a\n1 /b\n")
    orders = [
        render(
            LoadSpec("http://127.0.0.1:1/", url_list=str(path), seed=seed)
        ).order
        for seed in (1, 1, 2)
    ]
    assert orders[0] == orders[1] != orders[2]


@pytest.mark.parametrize("chunk", [0, 1, 1000, 100_000])
def test_bodies(load: Load, golden: Golden, chunk: int) -> None:
    body = bytes(range(256)) * 100
    kept, _ = sent(
        load, golden, requests=3, method="POST", body=body, chunk=chunk
    )
    for request in kept:
        head, _, received = request.partition("\r\n\r\n")
        assert ("chunked" in head) == bool(chunk)
        if chunk:
            received = unchunked(received)
        assert received.encode("latin-1") == body


def unchunked(text: str) -> str:
    pieces: list[str] = []
    while True:
        size, _, text = text.partition("\r\n")
        if int(size, 16) == 0:
            assert text == "\r\n"
            return "".join(pieces)
        pieces.append(text[: int(size, 16)])
        text = text[int(size, 16) + 2 :]


def test_a_large_body_is_sent_whole(load: Load, golden: Golden) -> None:
    """More than a socket's buffer: the rest goes when there is room."""
    body = b"0123456789abcdef" * 500_000
    kept, _ = sent(
        load, golden, requests=4, method="PUT", body=body, connections=2
    )
    assert all(
        len(request) - request.index("\r\n\r\n") - 4 == len(body)
        for request in kept
    )


def test_http10(load: Load, golden: Golden) -> None:
    kept, account = sent(load, golden, http10=True, requests=10)
    assert all(" HTTP/1.0\r\n" in request for request in kept)
    assert account["connections"] == 1  # the server said keep-alive
    kept, account = sent(
        load, golden, http10=True, keepalive=False, requests=10
    )
    assert account["connections"] == 10


@pytest.mark.parametrize("rate", [0, 3000])
def test_requests_per_connection(
    load: Load, golden: Golden, rate: float
) -> None:
    _, account = sent(
        load, golden, requests=500, per_connection=7, connections=3, rate=rate
    )
    counts = Counter(account["per_connection"])
    # All but the last one of each slot are full.
    assert counts[7] >= 500 // 7 - 3
    assert max(counts) == 7


def test_pipelining(load: Load, golden: Golden) -> None:
    _, account = sent(load, golden, requests=1000, pipeline=16, connections=2)
    assert account["connections"] == 2


def test_pipelining_and_failures(load: Load, golden: Golden) -> None:
    """Those behind a failed one are not answered either, and are counted."""
    server = golden(half_each=40)
    result = load(
        server.url, requests=1000, duration=60, pipeline=8, connections=2
    )
    account = server.account()
    classes = result["classes"]
    answered = classes["ok"]
    lost = classes["early_eof"] + classes["reset"]
    assert answered + lost == 1000
    # Each early end costs at most the eight that were under way.
    assert account["did"]["half"] <= lost <= 8 * account["did"]["half"]


def test_head(load: Load, golden: Golden) -> None:
    server = golden(keep=1)
    result = load(
        server.url, requests=20, method="HEAD", expect_body=server.body
    )
    assert result["classes"]["ok"] == 20


def test_slow_sender(load: Load, golden: Golden) -> None:
    """One byte each 2 ms: a request of n bytes takes 2 n ms at least."""
    server = golden(keep=1)
    result = load(
        server.url,
        requests=2,
        duration=60,
        connections=2,
        send_size=1,
        send_gap=0.002,
    )
    size = len(server.account()["kept"][0])
    assert result["classes"]["ok"] == 2
    assert result["service"]["p50_ns"] >= (size - 1) * 2e6


def test_slow_reader(load: Load, golden: Golden) -> None:
    server = golden(body="x", repeat=1_000_000)
    result = load(
        server.url,
        requests=2,
        duration=60,
        connections=2,
        read_size=50_000,
        read_gap=0.01,
        expect_body=b"x" * 1_000_000,
        timeout=30,
    )
    assert result["classes"]["ok"] == 2
    assert result["service"]["p50_ns"] >= 19 * 10e6


def test_learning_the_body(load: Load, golden: Golden) -> None:
    server = golden(body="learn me", wrong_each=7)
    result = load(server.url, requests=20, duration=60, learn=True)
    # The first of 21 was the lesson.
    assert result["classes"]["bad_body"] == 3
    sample = result["samples"][0]
    assert sample["class"] == "bad_body"
    assert sample["bytes"].endswith("learn m!")


@pytest.mark.parametrize(
    ("interim", "rest", "why"),
    [
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", OK, ""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 9, OK, ""),
        (b"HTTP/1.1 200 OK\r\nX: ", b"a" * 100, "learned"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % 9**17, OK, "l"),
        (b"HTTP/1.1 200 OK\r\n\r\n", OK, "learned"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"", "learned"),
    ],
)
def test_learning_of_whom(
    load: Load, interim: bytes, rest: bytes, why: str
) -> None:
    """Interim answers go before the lesson; one that has no end is none."""
    server = Raw(lambda asked, data: interim + rest)
    try:
        if not why:
            result = load(server.url, requests=3, learn=True)
            assert result["classes"]["ok"] == 3
            return
        with pytest.raises(WsgibenchError, match="could not be learned"):
            load(server.url, requests=3, learn=True, timeout=0.2)
        with pytest.raises(UsageError, match="redirects"):
            load(server.url, requests=3, learn=True, follow=1)
    finally:
        server.close()


def test_lengths(load: Load, golden: Golden) -> None:
    server = golden(body="12345", wrong_each=5, status_each=7)
    result = load(
        server.url,
        requests=35,
        duration=60,
        expect_length=5,
        expect_status=0,
    )
    assert result["classes"]["bad_status"] == 4  # 7 14 21 28; 35 is wrong
    assert result["classes"]["ok"] == 31
    assert result["classes"]["bad_body"] == 0


def test_a_large_answer(load: Load, golden: Golden) -> None:
    server = golden(body="0123456789", repeat=300_000, wrong_each=4)
    result = load(
        server.url,
        requests=12,
        duration=60,
        connections=3,
        expect_body=b"0123456789" * 300_000,
    )
    assert result["classes"]["bad_body"] == 3
    assert result["classes"]["ok"] == 9


@pytest.mark.parametrize(
    "fields",
    [
        {"connections": 0},
        {"duration": 0},
        {"processes": 2},
        {"http10": True, "chunk": 5},
        {"headers": "none"},
        {"headers": "@/nowhere"},
        {"url_list": "/nowhere"},
        {"url": "ftp://127.0.0.1/"},
        {"url": "http://127.0.0.1:1/{seq}", "learn": True},
        {"url": "unix:" + "x" * 200},
        {"source": "nowhere"},
    ],
)
def test_wrong_use_is_one_sentence(load: Load, fields: dict[str, Any]) -> None:
    fields = {"url": "http://127.0.0.1:1/", **fields}
    with pytest.raises(UsageError) as caught:
        load(fields.pop("url"), **fields)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_more_than_the_machine_holds(load: Load) -> None:
    with pytest.raises(WsgibenchError, match="descriptors.*ports"):
        load("http://127.0.0.1:1/", connections=3_000_000)

"""Warm-up that ends by itself: the decision, and a real load that is told
when it is over."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.stats import synthetic
from wsgibench import cli
from wsgibench.harness import steady
from wsgibench.harness.plan import Load
from wsgibench.harness.process import open_socket
from wsgibench.harness.steady import Decision, ShiftOf, Steering
from wsgibench.stats import samples, summary, warmup


def load(**more: Any) -> Load:
    given: dict[str, Any] = {
        "connections": 1,
        "duration": 2.0,
        "warmup": 0.0,
        "keepalive": True,
        "headers": "minimal",
        "settle": 20.0,
    }
    return Load(**{**given, **more})


def told(
    settled_after: int,
    looks: int,
    *,
    asked: Load | None = None,
    is_jit: bool = False,
    each: int = 100,
    shift: ShiftOf = steady.never,
) -> tuple[Decision, float | None]:
    """(the decision, the second at which it ended a load of looks at each
    200 ms); its costs have settled after so many windows."""

    def settled(costs: Sequence[float]) -> bool:
        return len(costs) >= settled_after

    made = Decision(asked or load(), settled, is_jit=is_jit, shift=shift)
    for look in range(1, looks + 1):
        seconds = look * 200_000_000 / 1e9
        if made.look(seconds, look * each, look * 1_000_000):
            return made, seconds
    return made, None


def test_it_ends_so_long_after_it_has_settled() -> None:
    made, ended = told(10, 60)
    assert made.to_json() == {"seconds": 2.0, "steady": True, "limit": 20.0}
    assert ended == pytest.approx(4.0)


def test_what_never_settles_is_measured_from_the_limit_on() -> None:
    made, ended = told(10**9, 60, asked=load(settle=4.0))
    assert made.to_json()["steady"] is False
    assert made.to_json()["seconds"] == pytest.approx(4.0)
    assert ended == pytest.approx(6.0)


def test_what_changed_while_it_was_measured_begins_behind_the_change() -> None:
    seen: list[int] = []

    def once(costs: Sequence[float]) -> int | None:
        seen.append(len(costs))
        return 4 if len(seen) == 1 else None

    made, ended = told(10, 60, shift=once)
    # Settled at 2.0 s, measured to 4.0, and from the change at 2.8 to 4.8.
    assert made.to_json() == {"seconds": 2.8, "steady": True, "limit": 20.0}
    assert ended == pytest.approx(4.8)
    assert seen == [10, 10]


@pytest.mark.parametrize(("limit", "begin"), [(20.0, 5.6), (2.5, 2.4)])
def test_what_goes_on_changing_is_measured_in_the_end(
    limit: float, begin: float
) -> None:
    """Two measured times later, or at the limit."""
    made, ended = told(
        10, 100, asked=load(settle=limit), shift=lambda costs: 2
    )
    assert made.to_json()["seconds"] == pytest.approx(begin, abs=0.5)
    assert ended == pytest.approx(made.to_json()["seconds"] + 2.0)


def test_connections_are_made_before_anything_settles() -> None:
    made, _ = told(1, 60, asked=load(warmup=3.0))
    assert made.to_json()["seconds"] == pytest.approx(4.0)


def test_a_jit_has_work_to_do_first() -> None:
    made, _ = told(5, 60, is_jit=True, each=steady.JIT_REQUESTS // 20)
    assert made.to_json()["seconds"] == pytest.approx(4.0)


def test_a_load_that_ends_by_itself_has_not_settled() -> None:
    made, ended = told(100, 5)
    assert ended is None
    assert made.to_json()["steady"] is False


def test_a_load_is_ended_with_one_byte() -> None:
    decision = Decision(load(), lambda costs: len(costs) >= 10, is_jit=False)
    made = Steering(os.getpid(), decision)
    made.start()
    made.theirs.settimeout(30)
    for look in range(1, 21):
        made.theirs.sendall(b"%d %d\n" % (look * 200_000_000, look * 100))
    assert made.theirs.recv(1) == b"x"
    made.close()
    assert decision.to_json()["seconds"] == pytest.approx(2.0)
    # This process is the server, and it used CPU.
    assert sum(decision.costs) > 0


NOISE = 0.01


def costs(*levels: tuple[int, float]) -> list[float]:
    rng = np.random.default_rng(1)
    return [
        float(level * (1 + rng.normal(0, NOISE)))
        for count, level in levels
        for _ in range(count)
    ]


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([(8, 10)], True),
        ([(5, 10)], False),  # too few to know
        ([(20, 30), (10, 10)], False),  # the last level is young
        ([(20, 30), (22, 10)], True),
        ([(10, 40), (20, 20), (12, 10)], False),
        ([(10, 30), (20, 10.1), (20, 10)], True),  # one level: within 3 %
    ],
)
def test_settled(levels: list[tuple[int, float]], expected: bool) -> None:
    assert warmup.settled(costs(*levels)) is expected


def test_what_is_measured_begins_when_it_had_settled() -> None:
    ok = np.r_[np.full(20, 1000), np.full(20, 3000)]
    start = synthetic.start(ok, np.full(40, 90_000.0))
    start["warmup"] = {"seconds": 2.0, "steady": True, "limit": 30.0}
    row = summary.row(synthetic.cell("c-uv", [start]))
    assert row["server_cpu_us"] == pytest.approx(30)
    assert row["doubts"] == []
    # The record keeps all.
    assert len(samples.windows(start).ok) == 40


@pytest.fixture
def answering() -> Any:
    """A server with one answer, until it is closed."""
    listener = open_socket("127.0.0.1", 0, 16)

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                while client.recv(65536):
                    client.sendall(
                        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
                    )

    threading.Thread(target=serve, daemon=True).start()
    yield "http://127.0.0.1:%d/" % listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def test_a_real_load_is_told_to_end_and_is_whole(
    answering: str, tmp_path: Path
) -> None:
    import json

    ours, theirs = socket.socketpair()
    lines: list[bytes] = []

    def end() -> None:
        with ours.makefile("rb") as reader:
            for line in reader:
                lines.append(line)
                if len(lines) == 4:
                    ours.send(b"x")
                    return

    thread = threading.Thread(target=end)
    thread.start()
    file = tmp_path / "load.json"
    code = cli.main(
        ["load", answering, "-q", "-d", "60", "--json", str(file)]
        + ["--steered-by", str(theirs.detach())]
    )
    thread.join()
    result = json.loads(file.read_text())
    assert code == 0, result["reasons"]
    assert len(lines) == 4
    assert not result["interrupted"]
    assert 0.5 < result["duration_s"] < 50
    assert not [o for o in result["doubts"] if o["code"] == "interrupted"]

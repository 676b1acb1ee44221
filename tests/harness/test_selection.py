"""From a command line to cells."""

from __future__ import annotations

import pytest

from wsgibench.errors import UsageError
from wsgibench.harness import limits, selection
from wsgibench.harness.plan import Cell, Load, order, ramp
from wsgibench.load import limits as load_limits


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("64", [64]),
        ("1,10", [1, 10]),
        ("1..8", [1, 2, 4, 8]),
        ("1..10,100", [1, 2, 4, 8, 10, 100]),
        ("4,1..4", [4, 1, 2]),
    ],
)
def test_connections(text: str, counts: list[int]) -> None:
    assert selection.connections(text) == counts


@pytest.mark.parametrize("text", ["0", "x", "1..", "-1", "..4", "9999999"])
def test_wrong_connections(text: str) -> None:
    with pytest.raises(UsageError, match="not a number of connections"):
        selection.connections(text)


def free(servers: str, pythons: str = "python3") -> selection.Selection:
    load = {"duration": 1.0, "keepalive": True, "headers": "minimal"}
    return selection.matrix(
        servers, "hello", pythons, "1,1024", load=load, warmup=(1.0, 4.0)
    )


def test_a_name_without_meaning_costs_only_its_own_cells() -> None:
    found = free("wsgiref,nobody")
    assert [cell.server for cell in found.cells] == ["wsgiref"] * 2
    assert len(found.missing) == 1
    assert "no server 'nobody'" in found.missing[0]
    with pytest.raises(UsageError, match="no server 'nobody'"):
        free("nobody")
    with pytest.raises(UsageError, match="no interpreter '9.9'"):
        free("wsgiref", "9.9")


def test_many_connections_are_made_before_the_measurement() -> None:
    few, many = (cell.load for cell in free("wsgiref").cells)
    assert few.warmup == 1.0
    assert many.warmup == 1.0 + ramp(1024) > 1.0


def test_every_start_runs_every_cell_once_in_an_order_of_its_own() -> None:
    load = Load(1, 1.0, 1.0, True, "minimal")
    cells = [Cell(name, "p", "hello", load) for name in "abcdefgh"]
    todo = order(cells, 3, seed=1)
    blocks = [[c for s, c in todo if s == start] for start in range(3)]
    assert all(sorted(b, key=cells.index) == cells for b in blocks)
    assert blocks[0] != blocks[1] != blocks[2]
    assert todo == order(cells, 3, seed=1)


def test_what_cannot_be_reached_is_said_with_the_arithmetic(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "descriptors", lambda: 20000)
    monkeypatch.setattr(
        load_limits, "read", lambda: load_limits.Limits(20000, 32768, 60999)
    )
    assert limits.why_skip(16384, 1) == ""
    assert limits.why_skip(65536, 4) == ""
    assert limits.why_skip(65536, 2) == (
        "skipped: 65536 connections need 65664 descriptors in the server, and "
        "2 processes of at most 20000 have 39872."
    )
    assert limits.client(1000) == {"processes": 1}
    assert limits.client(65536) == {
        "processes": 4,
        "source": "127.0.0.1",
        "sources": 10,
    }

"""What the tools print, read."""

from __future__ import annotations

import pytest

from wsgibench.harness.counted import callgrind, calls, perf, start
from wsgibench.harness.counted.callgrind import Counts

DUMP = """# callgrind format
version: 1
events: Ir
fn=(1) serve
16 3
cfn=(2) malloc
calls=7 0
16 700
fn=(2)
0 700
cfn=(4) _int_malloc
calls=7 0
* 70
fn=(3) again'2
+1 5
cfn=(2)
calls=2 0
* 20
cfn=(5) realloc'2
calls=1 0
* 9
totals: 1234
"""


def test_a_dump_of_callgrind() -> None:
    """Names stand once and then by number; what the heap does within itself
    is no allocation."""
    found = callgrind.parse(DUMP.splitlines(keepends=True))
    assert found == Counts(instructions=1234, allocations=10)
    assert callgrind.parse([]) == Counts(0, 0)


TABLE = """% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 46.31    0.012345           6      2001         1 recvfrom
 40.00    0.010000           5      2000           sendto
  0.00    0.000000           0         2         2 restart_syscall
------ ----------- ----------- --------- --------- ----------------
100.00    0.026659                  4003         3 total
"""


def test_a_table_of_strace() -> None:
    assert calls.parse(TABLE) == {"recvfrom": 2001, "sendto": 2000}


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("9876543,,instructions:u,1000,100.00,,\n", 9876543),
        ("<not supported>,,instructions:u,0,100.00,,\n", None),
        ("Error: no permission\n", None),
    ],
)
def test_lines_of_perf(text: str, count: int | None) -> None:
    assert perf.parse(text) == count


def test_a_slope_has_nothing_of_what_is_done_once() -> None:
    """100,000 for the connection, 2,000 a request; one turn has a garbage
    collection in it."""
    n = 256
    small = [100_000.0 + 2000 * n for _ in range(5)]
    large = [100_000.0 + 2000 * start.MORE * n for _ in range(5)]
    large[2] += 5e7
    assert start._slope(small, large, n) == pytest.approx(2000)


def test_the_second_is_the_first_and_what_differs_turn_by_turn() -> None:
    """Each turn asks something else, the same of both: it falls out."""
    n = 100

    def counts(cost: float) -> start.Taken:
        each = [5000.0, 9000.0, 2000.0, 7000.0, 4000.0]
        return (
            [Counts(int(n * (cost + e)), 0) for e in each],
            [Counts(int(3 * n * (cost + e)), 0) for e in each[::-1]],
        )

    first, second = counts(1000), counts(1010)
    a = start._counted(first, first, n)["instructions"]
    b = start._counted(first, second, n)["instructions"]
    assert b - a == pytest.approx(10)


@pytest.mark.parametrize(
    ("cost", "requests"), [(100, 1024), (6000, 1024), (44_000, 128), (1e7, 64)]
)
def test_how_many_requests_are_worth_it(cost: float, requests: int) -> None:
    """A power of two, so that a small difference does not change it."""
    assert start._worth(cost) == requests

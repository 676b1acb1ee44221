"""May a number be believed? The words for it, shared by who loads, who
judges and who reports.

A verdict belongs to a number, not to a row: a client at its limit bounds the
requests/s and says nothing against the CPU per request.

    VALID     as it stands
    SUSPECT   true of something else than was asked: a bound, a shorter run
    INVALID   no measurement: not ranked, not compared, not printed in RESULTS
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

VALID, SUSPECT, INVALID = "VALID", "SUSPECT", "INVALID"
#: A start is spoilt on a CPU that is slower than usual by more than this.
SLOWER = 0.10
#: Fewer looks at a CPU do not tell what is usual of it: one may have found it
#: rested (turbo).
FEW_LOOKS = 8
#: A remark about the server that takes nothing from the number.
NOTE = "NOTE"
WORST_FIRST = (INVALID, SUSPECT)

CPU, GOODPUT, LATENCY = "server_cpu_us", "goodput", "latency"
NUMBERS = (CPU, GOODPUT, LATENCY)
TITLES = {
    CPU: "CPU per request",
    GOODPUT: "requests/s",
    LATENCY: "latency",
}


class Doubt(TypedDict):
    """A reason against some numbers, in words, with what to do about it."""

    code: str  # equal for equal reasons: "client-limited"
    level: str  # NOTE, SUSPECT or INVALID
    numbers: list[str]
    what: str
    remedy: str


def usual(looks: Iterable[float]) -> float:
    """The time of a look at a CPU by itself, from several: the lower
    quartile. What disturbs one makes it longer, and no single short one
    decides."""
    ordered = sorted(looks)
    return ordered[len(ordered) // 4]


def doubt(
    code: str,
    level: str,
    numbers: Iterable[str],
    what: str,
    remedy: str,
) -> Doubt:
    return {
        "code": code,
        "level": level,
        "numbers": list(numbers),
        "what": what,
        "remedy": remedy,
    }


def of_number(number: str, doubts: Iterable[Doubt]) -> str:
    levels = {one["level"] for one in doubts if number in one["numbers"]}
    return next((level for level in WORST_FIRST if level in levels), VALID)


def worst(doubts: Iterable[Doubt]) -> str:
    levels = {one["level"] for one in doubts}
    return next((level for level in WORST_FIRST if level in levels), VALID)


def sentence(one: Doubt) -> str:
    titles = [TITLES[name] for name in NUMBERS if name in one["numbers"]]
    where = "" if len(titles) == len(NUMBERS) else ", ".join(titles) + ": "
    remedy = "; " + one["remedy"] if one["remedy"] else ""
    return "%s%s%s" % (where, one["what"], remedy)


def summary(doubts: Iterable[Doubt]) -> tuple[str, list[str]]:
    """(the worst verdict of a number, a sentence for each reason)."""
    order = sorted(doubts, key=lambda one: one["level"] != INVALID)
    return worst(order), [sentence(one) for one in order]

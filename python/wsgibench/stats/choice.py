"""The answer to the whole question: which server on which Python, by how
much, how sure, whose time it is, what it costs, and what to do next."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wsgibench.stats import (
    comparison,
    cost,
    noise,
    pilot,
    split,
    summary,
)
from wsgibench.stats.answers import Entry, interval_text
from wsgibench.stats.bootstrap import Interval
from wsgibench.verdicts import INVALID

MARGIN = 0.03
#: A difference that is worth naming in per cent of the CPU.
SMALL = 0.05


@dataclass(frozen=True)
class Choice:
    """Of one load, over all its interpreters; cheapest first."""

    load: str
    ranked: list[Entry]
    #: Who cannot be told from the first.
    ties: list[Entry]
    #: The first that can be, and by how much the best is cheaper.
    next: Entry | None
    ratio: Interval | None
    #: Of the first tie, if there is one.
    doubt: Interval | None
    barred: list[tuple[Entry, str]]

    @property
    def best(self) -> Entry:
        return self.ranked[0]

    @property
    def is_clear(self) -> bool:
        """The best may be called so."""
        return not self.ties and (
            len(self.ranked) == 1 or self.ratio is not None
        )


def _cost(one: Entry) -> float:
    return one.cpu.estimate if one.cpu else float("inf")


def _why_barred(one: Entry) -> str:
    """Why it is not ranked; "" if it is."""
    wrong = [d for d in one.row["doubts"] if d["code"] == "wrong-answers"]
    if wrong:
        return str(wrong[0]["what"])
    if one.cpu is None:
        return "no start of it gave a result"
    if one.row["verdict"] == INVALID:
        bad = [d for d in one.row["doubts"] if d["level"] == INVALID]
        return str(bad[0]["what"]) if bad else "INVALID"
    return ""


def choices(record: dict[str, Any], entries: Sequence[Entry]) -> list[Choice]:
    groups: dict[str, list[Entry]] = {}
    for one in entries:
        ceiling = one.cell["server"] == summary.CEILING
        if not ceiling and not one.cell.get("aa"):
            groups.setdefault(one.load, []).append(one)
    return [_choice(record, load, group) for load, group in groups.items()]


def _choice(record: dict[str, Any], load: str, group: list[Entry]) -> Choice:
    barred = [(one, why) for one in group for why in [_why_barred(one)] if why]
    names = [id(one) for one, _ in barred]
    ranked = sorted((one for one in group if id(one) not in names), key=_cost)
    ties: list[Entry] = []
    following, ratio, doubt = None, None, None
    margin = comparison.margins([record], MARGIN)["server_cpu_us"]
    for one in ranked[1:]:
        found = noise.paired(one.cell, ranked[0].cell, "server_cpu_us")
        if found is None:
            continue
        said = comparison.decide(found, found.p, margin)[0]
        if said == comparison.FASTER:
            following, ratio = one, found
            break
        ties.append(one)
        doubt = doubt or found
    return Choice(load, ranked, ties, following, ratio, doubt, barred)


def name(one: Entry, several: bool = True) -> str:
    return "%s on %s" % (one.server, one.python) if several else one.server


def sentences(record: dict[str, Any], choice: Choice) -> list[str]:
    """The first says which; each of the others stands by itself."""
    if not choice.ranked:
        return [
            "nothing was measured that could be ranked",
            *_barred(choice),
            *_all_the_same(choice),
        ]
    found = [_which(choice), *_by_how_much(choice)]
    found += _pythons(choice)
    found += _whose_time(record, choice)
    found += _money(record, choice)
    found += _barred(choice)
    found.append(_next(record, choice))
    return [one for one in found if one]


def _several(choice: Choice) -> bool:
    return len({one.python for one in choice.ranked}) > 1


def _which(choice: Choice) -> str:
    best, several = choice.best, _several(choice)
    assert best.cpu is not None
    costs = "%s us of CPU for a request" % interval_text(best.cpu)
    if not choice.ties or best.row["starts"] < 2:
        return "%s: %s" % (name(best, True), costs)
    others = ", ".join(name(one, several) for one in choice.ties)
    return "%s: %s; not to be told from it: %s" % (
        name(best, True),
        costs,
        others,
    )


def _by_how_much(choice: Choice) -> list[str]:
    if choice.next is None or choice.ratio is None:
        if len(choice.ranked) > 1 and choice.best.row["starts"] < 2:
            return ["from one start each, so how sure that is nobody can tell"]
        return []
    return [
        "the next, %s, takes %s times as much (p = %.2g)"
        % (
            name(choice.next, _several(choice)),
            interval_text(choice.ratio),
            choice.ratio.p,
        )
    ]


def _pythons(choice: Choice) -> list[str]:
    """The best of each interpreter against the best of all."""
    firsts: dict[str, Entry] = {}
    for one in choice.ranked:
        firsts.setdefault(one.python, one)
    best = choice.best
    found = []
    for python, one in firsts.items():
        if one is best:
            continue
        ratio = noise.paired(one.cell, best.cell, "server_cpu_us")
        if ratio is None:
            continue
        same = "" if one.server == best.server else " with " + one.server
        found.append(
            "%s%s takes %s times the CPU of %s"
            % (python, same, interval_text(ratio), best.python)
        )
    return found


def _whose_time(record: dict[str, Any], choice: Choice) -> list[str]:
    found = []
    seen = set()
    for one in choice.ranked:
        if one.python in seen:
            continue
        parts = split.of_cell(record, one.cell)
        if parts is None:
            continue
        seen.add(one.python)
        found.append(_split_text(one, parts, choice))
    return found


def percent(value: Interval) -> str:
    if not value.known:
        return "%.0f %%" % (100 * value.estimate)
    return "%.0f %% [%.0f, %.0f]" % tuple(
        100 * min(1.0, max(0.0, number))
        for number in (value.estimate, value.low, value.high)
    )


def _not_told(one: Entry, parts: split.Split) -> str:
    more = 100 * (parts.share.estimate - 1)
    return (
        "on %s a call of the application alone takes %.0f %% more CPU than a "
        "whole request to %s: whose time it is cannot be told"
        % (one.python, more, one.server)
    )


def _split_text(one: Entry, parts: split.Split, choice: Choice) -> str:
    if not parts.told:
        return _not_told(one, parts)
    total = sum(part.estimate for _, part in parts.parts)
    text = (
        "on %s the application takes %s of the CPU of each request, the "
        "server %s %.0f %%, the kernel %.0f %%"
        % (
            one.python,
            percent(parts.share),
            one.server,
            100 * max(0.0, parts.server.estimate) / total,
            100 * parts.kernel.estimate / total,
        )
    )
    wall = parts.waiting.estimate + parts.application.estimate
    if wall and parts.waiting.estimate > split.WAITING * wall:
        text += "; it waits %.3g ms besides" % (parts.waiting.estimate / 1e3)
    same = [other for other in choice.ranked if other.python == one.python]
    dearest = same[-1]
    if len(same) > 1 and one.cpu and dearest.cpu:
        saved = 1 - one.cpu.estimate / dearest.cpu.estimate
        text += "; %s saves you %.0f %% against %s, the dearest" % (
            one.server,
            100 * saved,
            dearest.server,
        )
    return text


def _money(record: dict[str, Any], choice: Choice) -> list[str]:
    asked = cost.prices(record)
    found = cost.of_row(choice.best.row, choice.best.cell, asked)
    if found is None:
        return []
    text = "a million requests cost %s, a month of %g requests/s %s (%s)" % (
        cost.money(found.million),
        asked.rate,
        cost.money(found.month),
        asked.source,
    )
    if found.joules is not None:
        text += "; energy %.3g kJ a million" % (found.joules / 1e3)
    elif "energy" in record["machine"]:
        text += "; energy is not known: %s" % record["machine"]["energy"]
    return [text]


def _barred(choice: Choice) -> list[str]:
    """One sentence for each kind of reason, with the numbers of one row."""
    kinds: dict[str, list[tuple[Entry, str]]] = {}
    for one, why in choice.barred:
        kinds.setdefault(re.sub(r"[\d.]+", "0", why), []).append((one, why))
    return [
        "not ranked: %s: %s"
        % (", ".join(name(one) for one, _ in found), found[0][1])
        for found in kinds.values()
    ]


def _all_the_same(choice: Choice) -> list[str]:
    """What there is when only the machine was at fault: an order, no rank."""
    found = [one for one, _ in choice.barred if _only_busy(one)]
    if not found:
        return []
    order = ", ".join(
        "%s %s us" % (name(one), interval_text(one.cpu))
        for one in sorted(found, key=_cost)
        if one.cpu is not None
    )
    return [
        "by CPU for a request, as far as a busy machine can tell: " + order,
        "stop what else runs, or take a machine of its own, and run it again",
    ]


def _only_busy(one: Entry) -> bool:
    bad = {d["code"] for d in one.row["doubts"] if d["level"] == INVALID}
    return one.cpu is not None and bad == {"machine-busy"}


def seconds_of_start(record: dict[str, Any]) -> float:
    """Of one start of every row, with what is around it."""
    total = 0.0
    for cell in record["cells"]:
        load = cell["load"]
        total += load["warmup"] + load["duration"] + 2.0
    return total


def _next(record: dict[str, Any], choice: Choice) -> str:
    if not choice.ties:
        return ""
    starts = choice.best.row["starts"]
    other = choice.ties[0]
    if starts < 2 or choice.doubt is None or not choice.doubt.known:
        return "more starts would tell them apart: --starts 5"
    away = abs(choice.doubt.estimate - 1)
    if away < SMALL:
        return (
            "%s and %s differ by less than %.0f %%: take the one that you "
            "like better" % (choice.best.server, other.server, 100 * SMALL)
        )
    wanted = pilot.starts_for(choice.doubt, away)
    minutes = (wanted - starts) * seconds_of_start(record) / 60
    return (
        "more starts would tell %s from %s: --starts %d, about %.0f min more"
        % (name(choice.best), name(other), wanted, max(1.0, minutes))
    )

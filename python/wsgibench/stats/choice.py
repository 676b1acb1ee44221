"""The answer to the whole question: which server on which Python, by how
much, how sure, whose time it is, what it costs, and what to do next."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wsgibench.stats import cost, discovery, noise, pilot, ranking, split
from wsgibench.stats.answers import (
    Entry,
    answers,
    contenders,
    cpu_text,
    interval_text,
    shared,
    why_barred,
)
from wsgibench.stats.bootstrap import Interval
from wsgibench.stats.ranking import Ranking, Rival
from wsgibench.verdicts import INVALID

#: A difference that is worth naming in per cent of the CPU.
SMALL = 0.05


@dataclass(frozen=True)
class Choice:
    """Of one load, over all its interpreters."""

    load: str
    ranking: Ranking[Entry] | None  # None: nobody is ranked
    #: The same of each interpreter's own servers.
    by_python: list[Ranking[Entry]]
    barred: list[tuple[Entry, str]]

    @property
    def ranked(self) -> list[Entry]:
        return self.ranking.ranked if self.ranking else []

    @property
    def best(self) -> Entry:
        return self.ranked[0]

    @property
    def rivals(self) -> list[Rival[Entry]]:
        return self.ranking.rivals if self.ranking else []

    @property
    def ties(self) -> list[Rival[Entry]]:
        """Who cannot be told from the first."""
        return [one for one in self.rivals if not one.told]

    @property
    def next(self) -> Rival[Entry] | None:
        """The first that can be."""
        return next((one for one in self.rivals if one.told), None)

    @property
    def is_clear(self) -> bool:
        """The best may be called so."""
        return not self.ties


def choices(record: dict[str, Any], entries: Sequence[Entry]) -> list[Choice]:
    loads: dict[str, list[Entry]] = {}
    for one in contenders(entries):
        loads.setdefault(one.load, []).append(one)
    fit = {
        load: [one for one in group if not why_barred(one)]
        for load, group in loads.items()
    }
    asked = [load for load, group in fit.items() if group]
    over_all = dict(
        zip(asked, ranking.rank(record, [fit[load] for load in asked]))
    )
    by_python: dict[str, list[Ranking[Entry]]] = {}
    for answer in answers(record, list(entries)):
        by_python.setdefault(answer.load, []).append(answer.ranking)
    return [
        Choice(
            load,
            over_all.get(load),
            by_python.get(load, []),
            [(one, why) for one in group for why in [why_barred(one)] if why],
        )
        for load, group in loads.items()
    ]


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
    found = [_which(choice), *_by_how_much(choice), *_shared(choice)]
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
    costs = "%s us of CPU for a request" % cpu_text(best)
    if not choice.ties or best.row["starts"] < 2:
        return "%s: %s" % (name(best, True), costs)
    others = ", ".join(name(one.who, several) for one in choice.ties)
    return "%s: %s; not to be told from it: %s" % (
        name(best, True),
        costs,
        others,
    )


def _by_how_much(choice: Choice) -> list[str]:
    rival = choice.next
    if rival is None or rival.ratio is None:
        if len(choice.ranked) > 1 and choice.best.row["starts"] < 2:
            return ["from one start each, so how sure that is nobody can tell"]
        return []
    which = "first that can be told from it" if choice.ties else "next"
    return [
        "the %s, %s, takes %s times as much (p = %.2g)"
        % (
            which,
            name(rival.who, _several(choice)),
            interval_text(rival.ratio),
            rival.p,
        )
    ]


def _firsts(choice: Choice) -> list[Entry]:
    """The best of each other interpreter; cheapest first."""
    firsts = [
        one.best
        for one in choice.by_python
        if one.best.python != choice.best.python
    ]
    return sorted(firsts, key=choice.ranked.index)


def _shared(choice: Choice) -> list[str]:
    """Where a ratio is not that of the numbers in the table."""
    named = [one.who for one in choice.ties]
    named += [choice.next.who] if choice.next else []
    named += [one for one in _firsts(choice) if one not in named]
    found = [
        "%s: %s" % (name(one, _several(choice)), starts)
        for one in named
        for starts in [shared(choice.best, one)]
        if starts
    ]
    if not found:
        return []
    return [
        "ratios are over the starts in which both were undisturbed (%s), the "
        "means in the table over all such starts of each: their order may "
        "be another" % ", ".join(found)
    ]


def _pythons(choice: Choice) -> list[str]:
    """The best of each interpreter against the best of all."""
    best = choice.best
    found = []
    for one in _firsts(choice):
        ratio = noise.in_blocks(one.measured, best.measured, ranking.METRIC)
        if ratio is None:
            continue
        same = "" if one.server == best.server else " with " + one.server
        found.append(
            "%s%s takes %s times the CPU of %s"
            % (one.python, same, interval_text(ratio), best.python)
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
    return text + _saved(one, choice)


def _saved(one: Entry, choice: Choice) -> str:
    """Against the dearest on the same interpreter, if that is told."""
    for own in choice.by_python:
        if own.best is not one or not own.rivals:
            continue
        dearest = own.rivals[-1]
        alone = one.row["starts"] < 2
        if dearest.ratio is not None and (dearest.told or alone):
            return "; %s saves you %.0f %% against %s, the dearest" % (
                one.server,
                100 * (1 - 1 / dearest.ratio.estimate),
                dearest.who.server,
            )
    return ""


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
        for one in ranking.order(found)
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
    tie = choice.ties[0]
    doubt, other = tie.ratio, tie.who
    if starts < 2 or doubt is None or not doubt.known:
        return "more starts would tell them apart: --starts 5"
    away = abs(doubt.estimate - 1)
    if away < SMALL:
        return (
            "%s and %s were less than %.0f %% apart: take the one that you "
            "like better" % (choice.best.server, other.server, 100 * SMALL)
        )
    wanted = math.ceil(
        pilot.starts_for(doubt, away)
        * discovery.starts_of_many(len(choice.ranked))
    )
    minutes = (wanted - starts) * seconds_of_start(record) / 60
    return (
        "more starts would tell %s from %s: --starts %d, about %.0f min more"
        % (name(choice.best), name(other), wanted, max(1.0, minutes))
    )

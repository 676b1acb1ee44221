"""Who is named first, and what is said of the others, where the truth is
known."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from tests.stats import synthetic
from wsgibench.stats import answers, choice, ranking, samples

RECORD: dict[str, Any] = {"cells": []}


@dataclass(frozen=True)
class Server:
    name: str
    measured: dict[int, samples.Windows]


def server(name: str, costs: dict[int, float]) -> Server:
    """What a request cost in each block."""
    one = np.ones(1)
    return Server(
        name,
        {
            block: samples.Windows(0 * one, one, one, cost * one)
            for block, cost in costs.items()
        },
    )


def drawn(
    rng: np.random.Generator, truth: list[float], starts: int, noise: float
) -> list[Server]:
    return [
        server(
            "s%d" % number,
            dict(enumerate(cost * np.exp(noise * rng.normal(size=starts)))),
        )
        for number, cost in enumerate(truth)
    ]


def told(ranked: ranking.Ranking[Server]) -> list[str]:
    return [one.who.name for one in ranked.rivals if one.told]


@pytest.mark.parametrize(
    ("count", "starts", "runs"),
    [(2, 10, 200), (6, 10, 100), (12, 10, 100), (12, 5, 60)],
)
def test_of_equal_servers_none_is_called_dearer(
    count: int, starts: int, runs: int
) -> None:
    """But in 6 of 100 runs, however many there are: the best is chosen by
    the numbers that are tested."""
    rng = np.random.default_rng(3)
    wrong = 0
    for _ in range(runs):
        group = drawn(rng, [1.0] * count, starts, 0.05)
        wrong += bool(told(*ranking.rank(RECORD, [group])))
    assert wrong <= 0.06 * runs


def test_a_difference_among_many_is_still_told() -> None:
    """A tenth, where starts differ by 3 %, of twelve servers."""
    rng = np.random.default_rng(4)
    truth = [1.0] + 11 * [1.1]
    found = []
    for _ in range(30):
        (ranked,) = ranking.rank(RECORD, [drawn(rng, truth, 10, 0.03)])
        assert ranked.best.name == "s0"
        found.append(len(told(ranked)))
    assert min(found) >= 1
    assert np.mean(found) >= 0.9 * 11


def test_differences_that_are_there_leave_the_others_as_they_were() -> None:
    """Half of the servers are equally cheap, the others twice as dear: in
    all runs that is told, and in few of them more than that."""
    rng = np.random.default_rng(5)
    wrong = 0
    for _ in range(50):
        (ranked,) = ranking.rank(
            RECORD, [drawn(rng, 4 * [1.0] + 4 * [2.0], 10, 0.05)]
        )
        names = set(told(ranked))
        assert names >= {"s4", "s5", "s6", "s7"}
        wrong += len(names) > 4
    assert wrong <= 3


def test_many_loads_of_equal_servers() -> None:
    """A record of ten loads says of none of them that one is dearer."""
    rng = np.random.default_rng(6)
    wrong = 0
    for _ in range(20):
        groups = [drawn(rng, [1.0] * 3, 10, 0.05) for _ in range(10)]
        wrong += any(told(one) for one in ranking.rank(RECORD, groups))
    assert wrong <= 1


def test_a_block_that_one_of_them_lacks_does_not_decide() -> None:
    slow = [1.0] * 9 + [1.4]
    a = server("a", {n: 100 * part for n, part in enumerate(slow[:9])})
    b = server("b", {n: 97 * part for n, part in enumerate(slow)})
    assert np.mean([97 * part for part in slow]) > 100
    assert ranking.order([a, b]) == ranking.order([b, a]) == [b, a]


def test_none_is_first_that_a_pair_says_is_dearer() -> None:
    """Of servers in whatever blocks, unless each has such a pair."""
    rng = np.random.default_rng(7)
    for _ in range(50):
        blocks = np.exp(rng.normal(0, 0.3, 8))
        group = []
        for number in range(5):
            kept = rng.permutation(8)[: rng.integers(4, 9)]
            own = np.exp(rng.normal(0, 0.05, 8))
            costs = {int(n): blocks[n] * own[n] for n in kept}
            group.append(server("s%d" % number, costs))

        def dearest(one: Server, group: list[Server] = group) -> float:
            return max(apart(one, other) for other in group)

        best, *others = ranking.order(group)
        assert dearest(best) == min(map(dearest, group))
        places = [apart(one, best) for one in others]
        assert places == sorted(places)


def apart(one: Server, other: Server) -> float:
    """How much dearer, in the blocks that both have; all of each if none."""
    both = one.measured.keys() & other.measured.keys()

    def mean(who: Server, blocks: Any) -> float:
        costs = [who.measured[n].series("server_cpu_us").value for n in blocks]
        return float(np.mean(np.log(costs)))

    return mean(one, both or one.measured) - mean(
        other, both or other.measured
    )


def test_without_gaps_it_is_the_order_of_the_means() -> None:
    group = drawn(np.random.default_rng(8), [3.0, 1.0, 2.0], 6, 0.01)
    for some in itertools.permutations(group):
        names = [one.name for one in ranking.order(some)]
        assert names == ["s1", "s2", "s0"]


def test_what_was_never_in_one_block_is_not_told() -> None:
    one = server("one", {0: 1.0, 1: 1.01, 2: 1.02})
    other = server("other", {3: 2.0, 4: 2.01, 5: 2.02})
    (ranked,) = ranking.rank(RECORD, [[one, other]])
    assert ranked.best is one
    (rival,) = ranked.rivals
    assert rival.ratio is None
    assert not rival.told


def disturbed(a: float, b: float) -> dict[str, Any]:
    """A record of ten blocks of which the last was slow, which was noticed
    beside `a` alone."""
    rng = np.random.default_rng(1)
    starts: dict[str, list[dict[str, Any]]] = {"a": [], "b": []}
    for block in range(10):
        for name, cost in (("a", a), ("b", b)):
            own = cost * (1.4 if block == 9 else 1.0)
            own *= 1 + 0.004 * rng.normal()
            made = synthetic.start(
                np.full(40, round(1e5 / own)), np.full(40, 1e5), block=block
            )
            now = 1300.0 if name == "a" and block == 9 else 1000.0
            made["yardstick"] = [{"now_us": now, "usual_us": 1000.0}]
            starts[name].append(made)
    return synthetic.record(
        [synthetic.cell(name, made) for name, made in starts.items()]
    )


def test_a_slow_block_that_one_row_lacks_does_not_turn_the_order() -> None:
    """a's own mean is the lesser, and in every block b costs less: the
    sentences name b, and say why the table has another order."""
    made = disturbed(a=100.0, b=97.0)
    entries = answers.entries(made)
    assert [one.server for one in entries] == ["a", "b"]
    assert [one.row["starts"] for one in entries] == [9, 10]
    (chosen,) = choice.choices(made, entries)
    assert chosen.best.server == "b"
    assert chosen.is_clear
    said = choice.sentences(made, chosen)
    assert said[0].startswith("b on CPython")
    assert re.match(r"the next, a, takes 1\.03 \[1\.0[23], 1\.0", said[1])
    assert "in which both were undisturbed (a: 9 of 10)" in said[2]
    (answer,) = answers.answers(made, entries)
    text = answers.sentence(answer)
    assert text.startswith("b costs")
    assert "the next, a, 1.03" in text
    assert "over the 9 of 10 starts in which both were undisturbed" in text


def test_without_gaps_nothing_is_said_of_them() -> None:
    made = synthetic.race({"a": 100.0, "b": 150.0}, seed=1)
    entries = answers.entries(made)
    (chosen,) = choice.choices(made, entries)
    (answer,) = answers.answers(made, entries)
    words = [*choice.sentences(made, chosen), answers.sentence(answer)]
    assert "undisturbed" not in "; ".join(words)


def said_of(made: dict[str, Any]) -> tuple[choice.Choice, list[str]]:
    (chosen,) = choice.choices(made, answers.entries(made))
    return chosen, choice.sentences(made, chosen)


def test_all_who_cannot_be_told_are_named() -> None:
    """Those behind the first that can be, too."""
    made = synthetic.race(
        {"a": 100.0, "b": 150.0, "c": 100.5}, seed=3, starts=6
    )
    rng = np.random.default_rng(9)
    wild = [
        synthetic.start(
            *synthetic.windows_of(rng, 300.0, between=1.0), block=block
        )
        for block in range(6)
    ]
    made["cells"].append(synthetic.cell("wild", wild))
    chosen, said = said_of(made)
    names = [one.server for one in chosen.ranked]
    assert names.index("wild") > names.index("b")
    assert {one.who.server for one in chosen.ties} == {"a", "c", "wild"} - {
        chosen.best.server
    }
    assert ", wild" in said[0]
    assert said[1].startswith("the first that can be told from it, b, takes")


@pytest.mark.parametrize("seed", range(3))
def test_both_say_the_same_p(seed: int) -> None:
    """The first sentence of a run and the line of its table's page."""
    costs = {"a": 100.0, "b": 108.0, "c": 130.0, "d": 131.0}
    made = synthetic.race(costs, seed=seed, starts=6)
    entries = answers.entries(made)
    (chosen,) = choice.choices(made, entries)
    (answer,) = answers.answers(made, entries)
    assert answer.ranking == chosen.ranking


def test_what_is_saved_is_said_where_it_is_told() -> None:
    """Against the dearest of twelve that are equal nothing is."""
    equal = {"s%d" % number: 100.0 for number in range(12)}
    for costs, saves in ((equal, False), ({"a": 100.0, "b": 200.0}, True)):
        made = synthetic.race(costs, seed=2, starts=6, between=0.05)
        made["baselines"] = [
            {
                "python": made["cells"][0]["python"],
                "starts": [
                    {
                        "start": block,
                        "calls": 1000,
                        "cpu_ns": 80_000_000,
                        "wall_ns": 80_000_000,
                        "user_ns": 70_000_000,
                        "system_ns": 10_000_000,
                        "routes": {},
                    }
                    for block in range(6)
                ],
            }
        ]
        _, said = said_of(made)
        assert "the application takes" in "; ".join(said)
        assert ("saves you" in "; ".join(said)) == saves

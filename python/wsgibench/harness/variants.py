"""The rounds of a gate: base, new, and base once more (A/A), in turns.

What is counted takes its turns together (counted/start.py). What is timed runs
in shuffled blocks, as in a run (plan.py).
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wsgibench.harness import machine
from wsgibench.harness.again import Spoilt, patient
from wsgibench.harness.counted import start
from wsgibench.harness.counted.start import Spread
from wsgibench.harness.counted.targets import Subject
from wsgibench.harness.interpreters import Interpreter
from wsgibench.harness.plan import Load
from wsgibench.harness.process import Under

Tell = Callable[[str], None]
BASE, NEW, AGAIN = "base", "new", "base again"
MORE = 2  # rounds


@dataclass(frozen=True)
class Variant:
    """One of base and new, ready to be started."""

    name: str
    subject: Subject
    interpreter: Interpreter

    def entry(self, load: Load, *, aa: bool = False) -> dict[str, Any]:
        """Its cell in a record. Both go by the server's name: they are held
        against each other."""
        subject = self.subject
        return {
            "name": "%s on %s, %s, %d connection%s"
            % (
                subject.server.text,
                self.interpreter.name,
                subject.scenario.name,
                load.connections,
                "" if load.connections == 1 else "s",
            ),
            "server": subject.server.text,
            "python": self.interpreter.to_json(),
            "scenario": subject.scenario.name,
            "load": load.to_json(),
            "versions": subject.environment.versions,
            **({"aa": True} if aa else {}),
            "starts": [],
        }


def counted(
    base: Variant,
    new: Variant,
    rounds: int,
    spread: Spread,
    is_doubtful: Callable[[dict[str, dict[str, Any]]], bool],
) -> dict[str, dict[str, Any]]:
    """A cell for each of the three, counted in turns together; in up to MORE
    further rounds as long as they are doubtful."""
    cells = {
        BASE: base.entry(base.subject.load),
        NEW: new.entry(new.subject.load),
        AGAIN: base.entry(base.subject.load, aa=True),
    }
    for number in range(rounds + MORE):
        if number >= rounds and not is_doubtful(cells):
            break
        subjects = [base.subject, new.subject, base.subject]
        found = start.instructions(subjects, spread)
        called = start.system_calls(subjects)
        for cell_of, *parts in zip(cells.values(), found, called):
            whole = {**parts[0], **parts[1]}
            cell_of["starts"].append(
                {"start": number, "seed": 1, "counted": whole}
            )
    return cells


def timed(
    base: Variant,
    new: Variant,
    load: Load,
    *,
    starts: int,
    seed: int,
    spoilt: Spoilt,
    run: Callable[..., dict[str, Any]],
    tell: Tell,
) -> dict[str, dict[str, Any]]:
    """The same by the clock, as ``run`` measures a start (cell.run); one that
    others disturb is measured once more."""
    rng = random.Random(seed)
    again = patient(1, 3 * starts, load.duration, spoilt, tell)
    cells = {
        BASE: base.entry(load),
        NEW: new.entry(load),
        AGAIN: base.entry(load, aa=True),
    }
    for number in range(starts):
        order = list(cells)
        rng.shuffle(order)
        for name in order:
            variant = new if name == NEW else base
            once = functools.partial(_once, run, variant, load, number, seed)
            cells[name]["starts"].append(again.measure(cells[name], once))
    return cells


def _once(
    run: Callable[..., dict[str, Any]],
    variant: Variant,
    load: Load,
    number: int,
    seed: int,
) -> dict[str, Any]:
    subject = variant.subject
    return run(
        subject.server,
        subject.scenario,
        load,
        subject.environment,
        start=number,
        seed=seed + number,
        cpus=machine.split_cpus(),
        services=subject.services,
        under=Under(target=subject.target),
    )

"""What ``capacity`` and ``size`` have in common: which servers, on what, and
objectives to be kept."""

from __future__ import annotations

import argparse
import contextlib
import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wsgibench.commands import (
    _application,
    _exit_codes,
    _interrupts,
    _numbers,
)
from wsgibench.errors import UsageError, WsgibenchError

if TYPE_CHECKING:
    from wsgibench.harness.application_run import ApplicationRun
    from wsgibench.harness.loaded_target import LoadedTarget
    from wsgibench.harness.plan import Load
    from wsgibench.harness.run import Run
    from wsgibench.load.slo import Gate

SLO = "p99=50ms,errors=0.1%"
WARMUP, WARMUP_JIT = 1.0, 5.0
#: About as many trials has a search.
TRIALS = 10


def add_arguments(
    parser: argparse.ArgumentParser, output: str, servers: str
) -> None:
    add = parser.add_argument
    add(
        "--server",
        default=servers,
        help="names, comma-separated (default: %(default)s)",
    )
    add(
        "--python",
        help="interpreters (default: python3; with --app pypy3, too)",
    )
    add(
        "--scenario",
        default="hello",
        help="what is asked, without --app (default: %(default)s)",
    )
    add(
        "--slo",
        default=SLO,
        help="objectives: percentiles, mean, max, errors (default: "
        + SLO.replace("%", "%%")
        + ")",
    )
    add(
        "--duration",
        type=float,
        default=3.0,
        help="seconds of each trial (default: %(default)s)",
    )
    add(
        "--again",
        type=int,
        default=2,
        metavar="N",
        help="repeat a trial that others on the machine disturbed up to N "
        "times (default: %(default)s), half of all trials at most",
    )
    add(
        "--connections",
        default="256",
        help="of the client, at most in use at once (default: %(default)s)",
    )
    add(
        "--headers",
        help="a set of request headers (default: proxied)",
    )
    add(
        "--seed",
        type=int,
        default=1,
        help="of arrivals and of the order (default: %(default)s)",
    )
    add(
        "-o",
        "--output",
        type=Path,
        default=Path(output),
        help="the record (default: %(default)s)",
    )
    _application.add_arguments(parser)


class SearchRun:
    """Cells that can be measured, with their environments."""

    def __init__(
        self, arguments: argparse.Namespace, tell: Callable[[str], None]
    ) -> None:
        from wsgibench import outputs
        from wsgibench.harness import selection
        from wsgibench.harness.again import patient
        from wsgibench.harness.run import Run
        from wsgibench.load import slo
        from wsgibench.load.headers import header_set

        self.tell = tell
        self._output = arguments.output
        self.gates: list[Gate] = slo.parse(arguments.slo)
        if not any(gate.is_time for gate in self.gates):
            raise UsageError("--slo needs an objective of time: p99=50ms.")
        _numbers.positive(arguments, "duration")
        _numbers.counts(0, arguments, "again")
        _numbers.at_least(0, arguments, "seed")
        headers = "proxied" if arguments.headers is None else arguments.headers
        header_set(headers)
        outputs.check(arguments.output)
        self.application_run: ApplicationRun | None = (
            _application.application_run(arguments, tell)
        )
        application_run = self.application_run
        found = selection.matrix(
            arguments.server,
            arguments.scenario,
            ("python3" if arguments.python is None else arguments.python)
            if application_run is None
            else _application.pythons(arguments, tell),
            arguments.connections,
            load={
                "duration": arguments.duration,
                "keepalive": True,
                "headers": headers,
                "think": arguments.think,
            },
            warmup=(1.0, 4.0),
            application=application_run.scenario.name
            if application_run
            else "",
        )
        self.interpreters = found.interpreters
        self.run: Run = Run(
            found.cells,
            found.interpreters,
            starts=1,
            seed=arguments.seed,
            port=0,
            argv=arguments.argv,
            output=arguments.output,
            missing=found.missing,
            tell=tell,
            application_run=application_run,
        )
        self.run.record["cwd"] = os.getcwd()
        self.run.record["limits_ns"] = {
            gate.name: gate.limit for gate in self.gates if gate.is_time
        }
        self.ready = self.run.prepared()
        trials = TRIALS * len(self.ready) * getattr(arguments, "starts", 1)
        self._again = patient(
            arguments.again,
            trials,
            float(arguments.duration),
            lambda result, _: str(result["disturbed"]),
            tell,
        )
        if application_run is not None and self.ready:
            application_run.begin(self.ready, found.interpreters)

    def measured(self, measure: Callable[[], None]) -> bool:
        """Whether it came to its end; Ctrl-C keeps what there is until
        then."""
        try:
            with _interrupts.as_by_ctrl_c():
                measure()
            self.record["complete"] = True
        except KeyboardInterrupt:
            self.tell("interrupted; this is what was measured so far:")
        self.run.keep()
        return bool(self.record["complete"])

    @contextlib.contextmanager
    def attempt(self, cell: Any) -> Iterator[None]:
        """Of measuring a cell: that it failed is kept as well."""
        try:
            yield
        except WsgibenchError as error:
            self.run.fail(cell, error)
        else:
            self.run.keep()

    def code(self, is_whole: bool, is_disturbed: bool) -> int:
        """The exit code, and where to look."""
        if self.run.unwritten:
            self.tell(self.run.unwritten)
        else:
            print("record: %s" % self._output)
            print(
                "as a page: python -m wsgibench report %s -o %s"
                % (self._output, self._output.with_suffix(".html"))
            )
        if not is_whole:
            return _exit_codes.INTERRUPTED
        if self.run.unwritten or self.record["failures"]:
            return _exit_codes.FAILED
        return _exit_codes.DISTURBED if is_disturbed else 0

    @property
    def record(self) -> dict[str, Any]:
        return self.run.record

    def target(self, cell: Any, start: int, **more: Any) -> Any:
        from wsgibench.harness import servers
        from wsgibench.harness.loaded_target import LoadedTarget

        environment = self.ready[cell]
        visit = (
            self.application_run.visit(cell, environment)
            if self.application_run
            else None
        )
        return LoadedTarget(
            servers.find(more.pop("server", cell.server)),
            self.run.scenario_of(cell),
            environment,
            visit=visit,
            start=start,
            **more,
        )

    def load(
        self, target: LoadedTarget, asked: Load, seed: int
    ) -> dict[str, Any]:
        """The result, with ``disturbed``: why it cannot be believed, or "".
        What others disturbed is measured again, as often as --again and the
        whole search allow."""
        return self._again.measure(
            {"load": {}}, lambda: self._observed(target, asked, seed)
        )

    def _observed(
        self, target: LoadedTarget, asked: Load, seed: int
    ) -> dict[str, Any]:
        from wsgibench.stats import machine

        result = target.load(asked, seed)
        start = {"load": result, **result.pop("watched")}
        result["disturbed"] = machine.disturbance(
            start, 0.0, result["duration_s"]
        )
        return result

    def warmup(self, cell: Any) -> float:
        """Seconds of load before a process is measured."""
        python = self.interpreters[cell.python].implementation
        return WARMUP_JIT if python == "PyPy" else WARMUP

    def strain(self, result: dict[str, Any]) -> tuple[bool, float | None]:
        """(whether the objectives were kept, the worst time by its limit)"""
        from wsgibench.load import slo

        missed = slo.missed(self.gates, result)
        strains = [
            value / gate.limit
            for gate in self.gates
            if gate.is_time
            for value in [slo.time_of(gate, result)]
            if value is not None and value < math.inf
        ]
        return not missed, max(strains, default=None)

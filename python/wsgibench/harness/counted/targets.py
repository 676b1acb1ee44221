"""Targets that are counted, several at a time: they come up, warm up and are
asked together, for what is counted does not depend on how long it takes.

The load generator runs in threads of this process: an interpreter for each of
some dozens of short loads would take longer than the loads.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from wsgibench.errors import WsgibenchError
from wsgibench.harness import usage
from wsgibench.harness.environments import Environment
from wsgibench.harness.plan import Load
from wsgibench.harness.process import TARGET, TargetProcess, Under
from wsgibench.harness.scenario import Scenario
from wsgibench.harness.servers import Server
from wsgibench.harness.visit import Visit
from wsgibench.load import run as generator
from wsgibench.load.spec import LoadSpec

#: Requests before it is counted; where they are slow, what these seconds
#: have room for. A JIT gets more, as long as they take less CPU time than
#: this: the quickest servers need the most of them.
WARM, WARM_SECONDS, FIRST = 300, 10.0, 8
WARM_JIT, WARM_JIT_CPU_NS = 10_000, 20_000_000_000
#: The same for all: which places of a server's tables collide depends on the
#: bytes of a request, and each target has a port of its own.
HOST = "127.0.0.1:8000"
#: Seconds that a load may take, and a request in it.
PATIENCE, TIMEOUT = 600.0, 120.0
#: Seconds until the server has closed what the last load left.
SETTLE = 20.0
QUIET = 0.01

One = TypeVar("One")


@dataclass(frozen=True)
class Subject:
    """What is counted, and of which version."""

    server: Server
    scenario: Scenario
    load: Load
    environment: Environment
    services: dict[str, Any]
    target: Path = TARGET
    visit: Visit | None = None  # of an application's requests


def cpu_of(pid: int) -> int:
    """Nanoseconds that the processes of a target have used so far."""
    return usage.tree_cpu_ns(pid)


def rest(pid: int) -> None:
    """Until its processes wait and use no CPU any more."""
    deadline = time.monotonic() + SETTLE
    before = -1
    while time.monotonic() < deadline:
        used = cpu_of(pid)
        if used == before and not any(map(usage.wants_cpu, usage.tree(pid))):
            return
        before = used
        time.sleep(QUIET)


class Loaded:
    """A running target, and how to ask it so many requests."""

    def __init__(
        self, subject: Subject, target: TargetProcess, folder: Path
    ) -> None:
        self.subject = subject
        self.target = target
        self.folder = folder
        self.seconds = 0.0  # that a request took at last

    @property
    def is_jit(self) -> bool:
        return self.target.ready.get("implementation") == "PyPy"

    def warm(self) -> None:
        self.ask(FIRST, 0)
        room = int(WARM_SECONDS / max(self.seconds, 1e-9))
        asked = max(FIRST, min(WARM, room))
        self.ask(asked, 0)
        while (
            self.is_jit
            and asked < WARM_JIT
            and cpu_of(self.target.pid) < WARM_JIT_CPU_NS
        ):
            self.ask(500, asked)  # a seed that no turn has
            asked += 500

    def ask(self, requests: int, seed: int) -> None:
        """All of them must be answered rightly."""
        begun = time.monotonic()
        result = generator.run(self._spec(requests, seed), _until_failure)
        self.seconds = (time.monotonic() - begun) / requests
        done = result["classes"]["ok"]
        if done != requests:
            raise WsgibenchError(
                "%d of %d requests were answered: %s; %s"
                % (
                    done,
                    requests,
                    "; ".join(result["reasons"]),
                    self.target.last_words(),
                )
            )
        rest(self.target.pid)

    def _spec(self, requests: int, seed: int) -> LoadSpec:
        """So many and no more; the clock is only what ends a load that
        hangs."""
        subject = self.subject
        load = replace(
            subject.load,
            requests=requests,
            warmup=0.0,
            settle=0.0,
            duration=PATIENCE,
        )
        if subject.visit is not None:
            made = subject.visit.spec(
                self.target, load, self.folder, seed=seed
            )
            return replace(made, timeout=TIMEOUT)
        asked = subject.scenario
        return load.spec(
            "http://%s:%d%s"
            % (*self.target.address[:2], load.path or asked.path),
            seed=seed,
            extra_headers=(("Host", HOST),),
            expect_status=asked.status,
            expect_body=None if asked.any_body else asked.body,
            timeout=TIMEOUT,
        )

    def come_up(self) -> None:
        """From its start until it is warm."""
        self.target.await_ready()
        visit = self.subject.visit
        if visit is not None:
            found = visit.begin(self.target, 1)["differences"]
            if found:
                raise WsgibenchError(
                    "wrong answers: %(request)s: %(what)s" % found[0]
                )
        self.warm()


def _until_failure(live: dict[str, int]) -> None:
    """Ends a load: its other requests would be counted for nothing."""
    if live["failed"]:
        raise KeyboardInterrupt


def together(work: Callable[[One], Any], those: Sequence[One]) -> list[Any]:
    """Each in a thread of its own, one alone too: Ctrl-C is for this thread,
    and would only end the load of a generator that runs in it. Those that
    still ask something then are not waited for; running() ends what they
    ask."""
    pool = ThreadPoolExecutor(len(those))
    try:
        asked = [pool.submit(work, one) for one in those]
        ended, _ = wait(asked, return_when=FIRST_EXCEPTION)
        for one in ended:
            one.result()  # raises what it raised
        return [one.result() for one in asked]
    finally:
        pool.shutdown(wait=False)


@contextmanager
def running(
    subjects: Sequence[Subject], under: Callable[[Path], Under]
) -> Iterator[list[Loaded]]:
    """All of them, warm; each has a folder, for what it runs under, too. They
    are started by this thread, with whose end they end, and are not asked to
    end: what was to be counted is counted."""
    with ExitStack() as stack:
        found = []
        for subject in subjects:
            name = stack.enter_context(
                tempfile.TemporaryDirectory(
                    prefix="wsgibench-", ignore_cleanup_errors=True
                )
            )
            folder = Path(name)
            target = TargetProcess(
                subject.environment,
                subject.server,
                subject.scenario,
                log=folder / "target.log",
                services=subject.services,
                backlog=subject.load.backlog,
                under=replace(under(folder), target=subject.target),
            )
            stack.callback(target.stop, at_once=True)
            target.begin()
            found.append(Loaded(subject, target, folder))
        try:
            together(Loaded.come_up, found)
            yield found
        except BaseException:
            for one in found:  # ends what threads still ask of them
                one.target.stop(at_once=True)
            raise

"""One load from several processes, merged.

A process holds as many connections as it has descriptors (20,000 here) and
uses one CPU. All begin at one time of CLOCK_MONOTONIC, which processes share.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import IO, Any

from wsgibench.errors import WsgibenchError
from wsgibench.load import limits, merge
from wsgibench.load.generator import Live, OnLive, make
from wsgibench.load.render import Rendered
from wsgibench.load.spec import LoadSpec

START_SECONDS = 1.0  # for the interpreters to come up


def share(total: int, parts: int, number: int) -> int:
    """The number-th part of a total that need not divide evenly."""
    return total // parts + (1 if number < total % parts else 0)


def parts(spec: LoadSpec, start_ns: int) -> list[LoadSpec]:
    """What each process is asked for. Each sends every n-th request and is
    due at every n-th arrival."""
    count = spec.processes
    return [
        replace(
            spec,
            processes=1,
            learn=False,
            connections=share(spec.connections, count, number),
            requests=share(spec.requests, count, number),
            connect_rate=spec.connect_rate / count,
            part=number,
            parts=count,
            start_ns=start_ns,
        )
        for number in range(count)
    ]


def run_child() -> None:
    """In the child: a part from stdin, JSON lines to stdout."""
    spec, rendered, cpu = pickle.load(sys.stdin.buffer)
    if cpu is not None:
        limits.pin(cpu)
    limits.raise_descriptors()
    generator = make(spec, rendered)
    signal.signal(signal.SIGINT, lambda *_: generator.stop())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    try:
        say("ready", None)
        while generator.poll(0.2):
            say("live", generator.live())
        say("result", json.loads(generator.result()))
    except BrokenPipeError:  # its parent has died
        os._exit(1)
    generator.close()


def say(kind: str, value: Any) -> None:
    # One write for each line: a reader sees whole messages.
    sys.stdout.write(json.dumps({kind: value}) + "\n")
    sys.stdout.flush()


@contextlib.contextmanager
def _without_sigint() -> Iterator[None]:
    """What starts here waits with a SIGINT until it can act on it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Child:
    def __init__(
        self, spec: LoadSpec, rendered: Rendered, cpu: int | None
    ) -> None:
        with _without_sigint():
            self.process = self._start()
        self.live: Live = {}
        self.result: dict[str, Any] | None = None
        self.rest = b""
        stdin = self._pipe(self.process.stdin)
        # A child that died already is seen when it is waited for.
        with contextlib.suppress(BrokenPipeError):
            pickle.dump((spec, rendered, cpu), stdin)
            stdin.close()

    def _start(self) -> subprocess.Popen[bytes]:
        # A session of its own: the terminal's SIGINT goes to the parent,
        # which passes it on once.
        return subprocess.Popen(
            [
                sys.executable,
                "-c",
                "from wsgibench.load.processes import run_child; run_child()",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )

    @staticmethod
    def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
        assert stream is not None
        return stream

    @property
    def output(self) -> IO[bytes]:
        return self._pipe(self.process.stdout)

    def read(self) -> bool:
        """False: it will say no more."""
        data = os.read(self.output.fileno(), 1 << 20)
        lines = (self.rest + data).split(b"\n")
        self.rest = lines.pop()
        for line in lines:
            message = json.loads(line)
            self.live = message.get("live") or self.live
            self.result = message.get("result") or self.result
        return bool(data)

    def end(self) -> None:
        if self.process.poll() is None and self.result is None:
            self.process.kill()
        self.process.wait()
        self.output.close()


def _sum_live(children: Sequence[Child]) -> Live:
    lives = [child.live for child in children if child.live]
    if not lives:
        return {}
    total = {name: sum(live[name] for live in lives) for name in lives[0]}
    for name in ("elapsed_ns", "p50_ns", "p99_ns"):
        total[name] = max(live[name] for live in lives)
    return total


def _follow(children: Sequence[Child], on_live: OnLive | None) -> None:
    with selectors.DefaultSelector() as selector:
        for child in children:
            selector.register(child.output, selectors.EVENT_READ, child)
        while selector.get_map():
            try:
                for key, _ in selector.select(0.5):
                    if not key.data.read():
                        selector.unregister(key.fileobj)
                if on_live is not None and _sum_live(children):
                    on_live(_sum_live(children))
            except KeyboardInterrupt:
                for child in children:
                    child.process.send_signal(signal.SIGINT)


@contextlib.contextmanager
def _children(
    spec: LoadSpec, rendered: Rendered, cpus: tuple[int, ...]
) -> Iterator[list[Child]]:
    seconds = START_SECONDS + 0.1 * spec.processes
    start_ns = time.monotonic_ns() + round(seconds * 1e9)
    children: list[Child] = []
    try:
        for number, part in enumerate(parts(spec, start_ns)):
            cpu = cpus[number % len(cpus)] if cpus else None
            children.append(Child(part, rendered, cpu))
        yield children
    finally:
        for child in children:
            child.end()


def start_spread_ns(results: Sequence[dict[str, Any]]) -> int:
    """How far apart they began: one that comes up late begins at once."""
    starts = [result["start_ns"] for result in results]
    return int(max(starts) - min(starts))


def run(
    spec: LoadSpec,
    rendered: Rendered,
    on_live: OnLive | None,
    cpus: tuple[int, ...],
) -> dict[str, Any]:
    with _children(spec, rendered, cpus) as children:
        _follow(children, on_live)
    results = [child.result for child in children if child.result]
    lost = len(children) - len(results)
    if not results:
        raise WsgibenchError(
            "all %d load processes ended without a result." % lost
        )
    whole = merge.merged([merge.histograms(result) for result in results])
    whole["start_spread_ns"] = start_spread_ns(results)
    if lost:  # what the others measured is kept
        whole["error"] = "%d of %d processes died" % (lost, len(children))
    return whole

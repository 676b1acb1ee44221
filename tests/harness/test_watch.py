"""Who used the CPUs, of processes that this test starts."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from wsgibench.harness import usage, watch
from wsgibench.harness.usage import Usage
from wsgibench.harness.watch import Watch

SPIN = "while True: pass"


def spin(cpu: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", SPIN],
        preexec_fn=lambda: os.sched_setaffinity(0, {cpu}),
    )


@pytest.fixture
def pair() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Two that want the same CPU."""
    cpu = min(os.sched_getaffinity(0))
    found = [spin(cpu), spin(cpu)]
    yield found
    for one in found:
        one.kill()
        one.wait()


def test_waiting_for_a_cpu_is_seen(
    pair: list[subprocess.Popen[bytes]],
) -> None:
    """Both need 0.1 s of a CPU: each waits while the other has it."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = usage.read(pair[0].pid)
        if found.cpu_ns > 1e8:
            break
        time.sleep(0.01)  # nothing tells how much CPU another has used
    assert found.wait_ns > 2e7
    assert 0 < found.involuntary <= found.switches


def test_samples_of_server_client_and_machine(
    pair: list[subprocess.Popen[bytes]],
) -> None:
    watching = Watch(pair[0].pid, sorted(os.sched_getaffinity(0)), None, 0.01)
    watching.client = pair[1].pid
    watching.start()
    deadline = time.monotonic() + 60
    while len(watching.server_usage) < 20 and time.monotonic() < deadline:
        time.sleep(0.01)
    watching.stop()
    for samples in (watching.server_usage, watching.client_usage):
        assert samples[-1].cpu_ns >= samples[0].cpu_ns
    first, last = watching.machine_usage[0], watching.machine_usage[-1]
    assert last.time_ns > first.time_ns
    assert last.busy_ns >= first.busy_ns
    assert last.other_ns > first.other_ns  # this very process


STAT = """cpu  9 9 9 9 9 9 9 9 0 0
cpu0 10 20 30 500 5 7 8 4 0 0
cpu1 1 2 3 600 5 7 8 2 0 0
cpu10 1000 0 0 0 0 0 0 90 0 0
"""


def test_busy_time_is_of_the_cpus_that_were_used() -> None:
    """User, nice and system; interrupts are in nobody's account."""
    tick = watch.TICK_NS
    assert watch.busy(STAT, [0]) == (60 * tick, 4 * tick)
    assert watch.busy(STAT, [0, 1]) == (66 * tick, 6 * tick)
    assert watch.busy("", [0]) == (0, 0)


def test_pressure_is_read() -> None:
    text = "some avg10=7.31 avg60=3.96 avg300=4.01 total=55283768\nfull x"
    assert watch.pressure(text) == 55283768
    assert watch.pressure("") == 0


#: A parent whose child uses 0.3 s of CPU; at a line each it lets the child end
#: and waits for it.
PARENT = """
import os, signal, sys, time
signal.signal(signal.SIGCHLD, getattr(signal, sys.argv[1]))
theirs, ours = os.pipe()
child = os.fork()
if child == 0:
    os.close(ours)
    while time.process_time() < 0.3:
        pass
    print(flush=True)
    os.read(theirs, 1)
    os._exit(0)

def step(wait):
    sys.stdin.readline()
    try:
        wait()
    except ChildProcessError:
        pass
    print(flush=True)

def end():
    os.close(ours)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)

step(end)
step(lambda: os.waitpid(child, 0))
sys.stdin.readline()
"""


def samples(handling: str) -> list[Usage]:
    """While the child lives, has ended, and was waited for."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, handling],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        found = []
        for _ in range(3):
            process.stdout.readline()
            found.append(usage.read(process.pid))
            process.stdin.write(b"\n")
    return found


def lost(found: list[Usage]) -> float:
    """Seconds."""
    watching = Watch(os.getpid(), [], None)
    watching.server_usage = found
    return watching.lost_ns() / 1e9


def test_the_cpu_of_a_process_that_ended_is_in_the_sum() -> None:
    """A server that replaces its workers is not cheaper for it."""
    found = samples("SIG_DFL")
    used = [one.cpu_ns / 1e9 for one in found]
    assert used[0] > 0.3
    assert used[1] == pytest.approx(used[0], abs=0.1)
    assert used[2] == pytest.approx(used[0], abs=0.1)
    assert found[2].system_ns >= found[0].system_ns
    assert lost(found) == 0


def test_cpu_that_is_in_no_sum_is_told() -> None:
    """Nobody waits for it: the kernel forgets what it used."""
    assert lost(samples("SIG_IGN")) > 0.25

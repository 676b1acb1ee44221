"""Children are noted before anything can interrupt, and end with us."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.native.process import until
from wsgibench import orphans


def test_an_interruption_waits_for_the_end() -> None:
    steps = []

    def work() -> None:
        with orphans.uninterrupted():
            signal.raise_signal(signal.SIGINT)
            steps.append("first")
            signal.raise_signal(signal.SIGINT)
            steps.append("second")
        steps.append("never")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert steps == ["first", "second"]
    with pytest.raises(KeyboardInterrupt):  # the handler is back
        signal.raise_signal(signal.SIGINT)


def test_nothing_comes_where_nothing_came() -> None:
    before = [signal.getsignal(number) for number in orphans.ENDS]
    with orphans.uninterrupted():
        pass
    assert [signal.getsignal(number) for number in orphans.ENDS] == before


def test_an_exception_inside_is_not_lost() -> None:
    with pytest.raises(OSError, match="no such"), orphans.uninterrupted():
        raise OSError("no such program")


WITH_A_CHILD = """
import signal, subprocess, sys, time
if sys.argv[1] == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen(["sleep", "600"])
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize(
    ("kind", "seconds", "number"),
    [
        ("polite", 60, signal.SIGTERM),
        ("polite", 0, signal.SIGKILL),  # not asked
        ("deaf", 0.01, signal.SIGKILL),
    ],
)
def test_a_child_ends_with_its_children(
    kind: str, seconds: float, number: signal.Signals
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WITH_A_CHILD, kind],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    grandchild = Path("/proc") / process.stdout.readline().decode().strip()
    assert grandchild.exists()
    orphans.end(process, seconds)
    assert process.returncode == -number
    process.stdout.read()  # to its end: the grandchild had it, too
    process.stdout.close()


def test_an_interruption_kills_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    process = subprocess.Popen(["sleep", "600"], start_new_session=True)

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(process, "wait", interrupted)
        patched.setattr(process, "send_signal", lambda number: None)
        with pytest.raises(KeyboardInterrupt):
            orphans.end(process, 60)
    assert process.wait() == -signal.SIGKILL


ASKED = """
import ctypes
number = ctypes.c_int()
PR_GET_PDEATHSIG = 2
ctypes.CDLL(None).prctl(PR_GET_PDEATHSIG, ctypes.byref(number))
print(number.value)
"""


def asked_for() -> int:
    """The signal that a child of this thread gets when its parent ends."""
    with orphans.uninterrupted():
        child = subprocess.Popen(
            [sys.executable, "-c", ASKED],
            stdout=subprocess.PIPE,
            preexec_fn=orphans.end_with_us(),
        )
    return int(child.communicate()[0])


def test_children_of_a_thread_do_not_end_with_it() -> None:
    """It may end while they are needed."""
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(asked_for()))
    thread.start()
    thread.join()
    assert found == [0]
    assert asked_for() == signal.SIGTERM


STARTER = """
import os, subprocess, sys
from wsgibench import orphans
child = subprocess.Popen(
    ["sleep", "60"], stdout=subprocess.DEVNULL,
    preexec_fn=orphans.end_with_us(),
)
print(child.pid, flush=True)
os.kill(os.getpid(), 9)
"""


def test_a_child_ends_with_a_parent_that_is_killed() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STARTER], stdout=subprocess.PIPE, text=True
    )
    stat = Path("/proc/%d/stat" % int(done.stdout))

    def over() -> bool:
        try:
            return stat.read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            return True

    until(over, "sleep goes on")
    assert done.returncode == -signal.SIGKILL

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


def test_a_thread_may_start_children_too() -> None:
    """Then they do not end with it: it may end first."""
    children: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        with orphans.uninterrupted():
            children.append(
                subprocess.Popen(
                    ["sleep", "60"], preexec_fn=orphans.end_with_us()
                )
            )

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    (child,) = children
    try:
        assert child.poll() is None
    finally:
        child.kill()
        child.wait()


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

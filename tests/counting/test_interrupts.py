"""Ctrl-C while targets are asked together."""

from __future__ import annotations

import signal
import threading

import pytest

from wsgibench.harness.counted.targets import together


@pytest.mark.parametrize("count", [1, 3])
def test_nothing_that_is_asked_is_waited_for(count: int) -> None:
    """Of one target alone, too: the generator in the thread that gets the
    signal would end its load, and the run would go on."""
    over = threading.Event()
    where = []

    def work(number: int) -> None:
        where.append(threading.current_thread())
        if len(where) == count:
            main = threading.main_thread().ident
            assert main is not None
            signal.pthread_kill(main, signal.SIGINT)
        over.wait()

    try:
        with pytest.raises(KeyboardInterrupt):
            together(work, range(count))
        assert threading.main_thread() not in where
    finally:
        over.set()


def test_the_first_error_is_raised_while_others_are_asked() -> None:
    over = threading.Event()

    def work(number: int) -> None:
        if number == 2:
            raise ValueError(number)
        over.wait()

    try:
        with pytest.raises(ValueError, match="2"):
            together(work, [1, 2, 3])
    finally:
        over.set()
    assert together(str, [1, 2, 3]) == ["1", "2", "3"]

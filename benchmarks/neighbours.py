"""Busy loops, for a benchmark of what neighbours do to a number."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator

from wsgibench import orphans


@contextlib.contextmanager
def busy(count: int) -> Iterator[None]:
    """They end with us, however we end: one that is left would disturb all
    that is measured after."""
    loops = [
        subprocess.Popen(
            [sys.executable, "-c", "while True: pass"],
            preexec_fn=orphans.end_with_us(),
        )
        for _ in range(count)
    ]
    try:
        yield
    finally:
        for one in loops:
            one.kill()
            one.wait()

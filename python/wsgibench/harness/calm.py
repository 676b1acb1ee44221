"""A wait before a disturbed start is measured again: until the server's CPU
is as fast as usual. A neighbour that works on its core does so for seconds or
minutes; measured again at once, most starts would be disturbed again.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from wsgibench.harness import yardstick
from wsgibench.harness.progress import text
from wsgibench.verdicts import SLOWER

#: Seconds of one wait.
LONGEST = 60.0
#: So many looks, one after the other, that must find it as fast as usual.
LOOKS = 3
PAUSE = 0.5  # seconds between two looks


class Calm:
    def __init__(
        self,
        cpu: int | None,
        tell: Callable[[str], None],
        most: Callable[[], float],
    ) -> None:
        """``most()``: seconds of all waits together."""
        self._yardstick = yardstick.of(cpu)
        self._tell = tell
        self._most = most
        self.waited = 0.0  # seconds

    def wait(self) -> None:
        begun = time.monotonic()
        end = begun + min(LONGEST, self._most() - self.waited)
        usual, told = 0, False
        while usual < LOOKS and time.monotonic() < end:
            if self._yardstick.slower() <= SLOWER:
                usual += 1
                continue
            usual = 0
            if not told:
                told = True
                self._tell(
                    "waiting for the server's CPU to be as fast as usual, for "
                    "at most %s" % text(end - begun)
                )
            time.sleep(PAUSE)
        self.waited += time.monotonic() - begun

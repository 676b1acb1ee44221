"""Starts that other processes on the machine disturbed are measured again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

from wsgibench.harness import machine
from wsgibench.harness.calm import Calm

Tell = Callable[[str], None]
#: (start, its cell's load; None: of the application without a server) -> why
#: it was disturbed; "" if it was not.
Spoilt = Callable[[dict[str, Any], Optional[dict[str, Any]]], str]


class Again:
    """Up to `most` times for a start, and for a whole run at most half as
    often as it has starts: on a machine that is never quiet it must end."""

    def __init__(
        self,
        most: int,
        starts: int,
        spoilt: Spoilt,
        tell: Tell,
        in_time: Callable[[], bool] = lambda: True,
        calm: Callable[[], None] = lambda: None,
    ) -> None:
        """``in_time()``: whether the run has the time for one more;
        ``calm()`` waits for a machine that disturbs it less, also before the
        start that follows a disturbed one."""
        self._most = most
        self._left = max(most, starts // 2) if most else 0
        self._spoilt = spoilt
        self._tell = tell
        self._in_time = in_time
        self._calm = calm
        self._disturbed = False  # the last start

    def measure(
        self, cell: dict[str, Any], once: Callable[[], dict[str, Any]]
    ) -> dict[str, Any]:
        """The start that counts; those before it are kept in the cell."""
        if self._disturbed:
            self._calm()
        for left in range(self._most, -1, -1):
            found = once()
            asked = cell.get("load")
            reason = self._spoilt(found, asked) if self._most else ""
            self._disturbed = bool(reason)
            if not reason:
                break
            if left == 0 or self._left == 0 or not self._in_time():
                self._tell("disturbed: " + reason)
                break
            self._left -= 1
            self._tell("disturbed, so measured again: " + reason)
            cell.setdefault("disturbed", []).append(found)
            self._calm()
        return found


def patient(
    most: int, starts: int, seconds: float, spoilt: Spoilt, tell: Tell
) -> Again:
    """Waits for a machine that disturbs it less, but all in all no longer
    than it measures: `starts` times `seconds`."""
    calm = Calm(machine.split_cpus()[0], tell, lambda: starts * seconds)
    return Again(most, starts, spoilt, tell, calm=calm.wait)

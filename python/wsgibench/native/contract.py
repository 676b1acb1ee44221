"""What both bindings export; a test compares them with this."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

NAMES = (
    "BINDING",
    "CoreServer",
    "DEFAULTS",
    "LoadGenerator",
    "VERSIONS",
)

#: A WSGI application (PEP 3333).
Application = Callable[..., Any]


class CoreServer(Protocol):
    """One core server with its application; not thread-safe but for
    ``wake`` and ``stop``."""

    def turn(self, timeout: float | None) -> int: ...
    def run(self) -> None: ...
    def stand_by(self) -> None: ...
    def canned(self, response: bytes) -> None: ...
    def wake(self) -> None: ...
    def wake_fd(self) -> int: ...
    def stop(self, grace: float | None) -> None: ...
    def fileno(self) -> int: ...
    def timeout(self) -> float | None: ...
    def stats(self) -> dict[str, int]: ...
    def metrics(self) -> dict[str, Any]:
        """With ``measure=1``: histograms of the time that requests waited for
        the application's call (``queue``), and until the end of the answer
        (``duration``, by the first digit of the status; 0: cut off before).
        Each has a count for each of ``bounds_us`` (microseconds) and one for
        what took longer; ``queue_us`` and ``duration_us`` are their sums.
        ``statuses`` are the answers by status less 100."""

    def turns(self) -> int: ...
    def tls_reload(self) -> None:
        """Reads the files of certificates and keys again, for connections to
        come. Files that cannot be used change nothing, and raise."""

    def close(self) -> None: ...
    @property
    def stopped(self) -> bool: ...

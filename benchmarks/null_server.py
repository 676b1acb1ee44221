"""The `null` server, for benchmarks of what asks it."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from wsgibench.harness import environments, interpreters, scenario, servers
from wsgibench.harness.process import TargetProcess


@contextlib.contextmanager
def null_server(cpu: int) -> Iterator[str]:
    """Serves on this CPU; its URL, without a path."""
    environment = environments.get(
        interpreters.find(sys.executable),
        "null",
        lambda text: print(text, file=sys.stderr),
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        TargetProcess(
            environment,
            servers.find("null"),
            scenario.find("hello"),
            cpu=cpu,
            log=Path(folder) / "log",
        ) as process,
    ):
        yield "http://%s:%d" % process.address[:2]

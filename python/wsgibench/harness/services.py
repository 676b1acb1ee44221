"""The services of a run: started when a cell first needs them, looked at
after every cell, started again when they died, and stopped at the end."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from wsgibench import plugins
from wsgibench.errors import WsgibenchError

FOLDER = "services"
Tell = Callable[[str], None]


class Services:
    """A context manager."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._running: dict[str, Any] = {}
        self._needs: dict[str, tuple[str, ...]] = {}
        self._scratch = Path(tempfile.mkdtemp(prefix="wsgibench-services-"))
        self._scratch.chmod(0o711)  # some services run as another user
        self._count = 0

    def __enter__(self) -> Services:
        return self

    def need(self, names: Sequence[str]) -> dict[str, Any]:
        """What an application must know to reach them; starts them."""
        return {name: self._one(name).settings for name in names}

    def _one(self, name: str) -> Any:
        service = self._running.get(name)
        if service is not None:
            self.need(self._needs[name])
        if service is not None and service.problem():
            self._tell("%s %s; starting it again" % (name, service.problem()))
            del self._running[name]
            service.stop()
            service = None
        if service is None:
            module = plugins.load(FOLDER, name, "service")
            self._needs[name] = tuple(getattr(module, "SERVICES", ()))
            needed = self.need(self._needs[name])
            self._count += 1
            folder = self._scratch / ("%s-%d" % (name, self._count))
            folder.mkdir()
            self._tell("starting " + name)
            service = module.start(folder, needed)
            self._running[name] = service
        return service

    def broken(self, names: Sequence[str]) -> str:
        """What became of them: "" while all of them answer."""
        for name in names:
            service = self._running.get(name)
            reason = "was stopped" if service is None else service.problem()
            if reason:
                return "the service %s %s" % (name, reason)
            below = self.broken(self._needs[name])
            if below:
                return below
        return ""

    def __exit__(self, *exception: object) -> None:
        for service in reversed(list(self._running.values())):
            try:
                service.stop()
            except WsgibenchError as error:
                self._tell(str(error))
        self._running.clear()
        shutil.rmtree(self._scratch, ignore_errors=True)

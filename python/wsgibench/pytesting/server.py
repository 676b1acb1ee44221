"""An application of a test under a server of its choice, in a process."""

from __future__ import annotations

import dataclasses
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Union

from wsgibench.harness import (
    environments,
    generator,
    interpreters,
    machine,
    servers,
)
from wsgibench.harness.environments import Environment
from wsgibench.harness.plan import Load
from wsgibench.harness.process import TargetProcess
from wsgibench.harness.requests.request import Request, checked
from wsgibench.harness.scenario import Scenario

App = Union[str, Callable[..., Any]]


def app_name(app: App) -> str:
    """``module:name``, by which the process of the server imports it."""
    if isinstance(app, str):
        return app if ":" in app else app + ":application"
    name = getattr(app, "__qualname__", "")
    if not name or "<" in name:
        raise ValueError(
            "the server's process cannot import %r; give it as 'module:name'."
            % (app,)
        )
    return "%s:%s" % (app.__module__, name)


def environment(
    server: str, python: str | None, requires: Sequence[str] = ()
) -> Environment:
    """This interpreter, with all it can import; or, with `python` or
    `requires`, an interpreter with the server and those packages installed,
    and the folders that belong to no interpreter."""
    if python is None and not requires:
        folders = tuple(os.path.abspath(one) for one in sys.path)
        return Environment(sys.executable, {}, folders)
    found = interpreters.find(python or "python3")
    made = environments.get(found, server, _quiet)
    own = tuple(
        os.path.abspath(one)
        for one in sys.path
        if not os.path.abspath(one).startswith((sys.prefix, sys.base_prefix))
    )
    if not requires:
        return dataclasses.replace(made, libraries=own)
    packages = environments.of_application(found, requires, _quiet)
    return dataclasses.replace(
        made,
        versions={**packages.versions, **made.versions},
        libraries=own,
        sites=packages.sites,
    )


def _quiet(text: str) -> None:
    pass


def scenario(app: App, path: str, status: int, body: bytes | None) -> Scenario:
    name = app_name(app)
    checked(Request("GET", path), "the path")
    return Scenario(
        name=name,
        about="an application of the tests",
        app=name,
        body=body or b"",
        path=path,
        status=status,
        any_body=body is None,
    )


class RunningServer:
    """A context manager. ``url`` is where the application answers."""

    def __init__(
        self,
        app: App,
        server: str = "c-uv",
        *,
        python: str | None = None,
        path: str = "/",
        status: int = 200,
        body: bytes | None = None,
    ) -> None:
        self.name = server
        self._scenario = scenario(app, path, status, body)
        self._directory = tempfile.TemporaryDirectory(prefix="wsgibench-")
        found = servers.find(server)
        server_cpu, self._client_cpu = machine.split_cpus()
        self._target = TargetProcess(
            environment(found.name, python),
            found,
            self._scenario,
            cpu=server_cpu,
            log=Path(self._directory.name) / "target.log",
        )

    def __enter__(self) -> RunningServer:
        try:
            self._target.__enter__()
        except BaseException:
            self._directory.cleanup()
            raise
        return self

    @property
    def url(self) -> str:
        host, port = self._target.address[:2]
        return "http://%s:%d%s" % (host, port, self._scenario.path)

    @property
    def pid(self) -> int:
        return self._target.pid

    def load(
        self,
        *,
        connections: int = 16,
        duration: float = 2.0,
        rate: float = 0.0,
        headers: str = "minimal",
        keepalive: bool = True,
        seed: int = 1,
    ) -> dict[str, Any]:
        """The result of ``wsgibench load`` (docs/load.md)."""
        asked = Load(
            connections=connections,
            duration=duration,
            warmup=0.0,
            keepalive=keepalive,
            headers=headers,
            rate=rate,
        )
        made = generator.spec(self.url, asked, self._scenario, seed)
        return generator.generate(made, cpu=self._client_cpu)

    def __exit__(self, *exception: object) -> None:
        self._target.__exit__(*exception)
        self._directory.cleanup()

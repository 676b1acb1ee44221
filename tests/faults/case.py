"""What every case gets, and how it is found."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tests.faults import cases
from tests.wire.target import Target
from wsgibench.load.run import run as run_load
from wsgibench.load.spec import LoadSpec

APP = "tests.faults.app:application"

#: start(app, **settings) -> a context manager with the running server
Start = Callable[..., Any]


def names() -> list[str]:
    return sorted(m.name for m in pkgutil.iter_modules(cases.__path__))


def load(name: str) -> ModuleType:
    """A module with HELP, SMALL and FULL (arguments of run), and
    run(start, **arguments), which yields figures."""
    return importlib.import_module(cases.__name__ + "." + name)


def address_of(target: Target) -> tuple[str, int]:
    address = target.address
    assert isinstance(address, tuple)
    return address


def warm(target: Target, requests: int = 20_000) -> None:
    """Before memory is measured: buffers, free lists and, on PyPy, the
    nursery and compiled loops have their size then."""
    for path, keepalive in (("", True), ("", False), ("pid", True)):
        run_load(
            LoadSpec(
                "http://%s:%d/%s" % (*address_of(target), path),
                connections=16,
                duration=600.0,
                requests=requests if keepalive else requests // 10,
                keepalive=keepalive,
            )
        )


def answers(target: Target, path: str = "/") -> bool:
    return target.get(path).status == 200

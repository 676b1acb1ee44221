"""What every case gets, and how it is found."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tests.faults import cases
from tests.wire.target import Target

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


def answers(target: Target, path: str = "/") -> bool:
    return target.get(path).status == 200



"""Builds of one interpreter: their names, and how they are asked for."""

from __future__ import annotations

import sysconfig
from typing import Any

import pytest

from wsgibench import runtimes
from wsgibench.errors import UsageError
from wsgibench.harness import interpreters

PLAIN = {"implementation": "CPython", "version": "3.13.5"}
FREE = {**PLAIN, "build": "t"}


@pytest.mark.parametrize(
    ("python", "targets", "name"),
    [
        (PLAIN, [{}], "CPython 3.13.5"),
        (FREE, [{"gil": False}], "CPython 3.13.5t"),
        # An extension has turned it on.
        (FREE, [{"gil": True}], "CPython 3.13.5t, GIL on"),
        ({**FREE, "switches": "gil=1"}, [], "CPython 3.13.5t, GIL on"),
        ({**PLAIN, "switches": "jit=0"}, [{"jit": False}], "CPython 3.13.5"),
        (PLAIN, [{"jit": True}], "CPython 3.13.5, JIT on"),
    ],
)
def test_names(python: Any, targets: Any, name: str) -> None:
    starts = [{"target": target} for target in targets]
    assert runtimes.name(python, starts) == name


@pytest.mark.parametrize("text", ["python3:gil=2", "python3:x=1", "python3:"])
def test_wrong_switches(text: str) -> None:
    with pytest.raises(UsageError, match="no switch of an interpreter"):
        interpreters.find(text)


def test_the_gil_of_this_interpreter() -> None:
    """A build that has one in any case says so."""
    plain = interpreters.find("python3")
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        found = interpreters.find("python3:gil=1")
        assert found.variables == {"PYTHON_GIL": "1"}
        assert found.label == plain.label + ", GIL on"
    else:
        assert plain.build == ""
        with pytest.raises(UsageError, match="cannot turn its GIL"):
            interpreters.find("python3:gil=1")

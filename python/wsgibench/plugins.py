"""Plug-in folders: one module a thing, found by its file name."""

from __future__ import annotations

import ast
import difflib
import importlib
import pkgutil
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from wsgibench.errors import UsageError

PACKAGE = Path(__file__).parent


def names(folder: str) -> list[str]:
    """``folder`` like ``scenarios`` or ``target/servers``."""
    return sorted(
        info.name.replace("_", "-")
        for info in pkgutil.iter_modules([str(PACKAGE / folder)])
        if not info.name.startswith("_")
    )


def load(folder: str, name: str, what: str) -> ModuleType:
    """Imports one; UsageError tells which there are."""
    check(folder, name, what)
    module = "wsgibench.%s.%s" % (
        folder.replace("/", "."),
        name.replace("-", "_"),
    )
    return importlib.import_module(module)


def check(folder: str, name: str, what: str) -> None:
    among(name, names(folder), what)


def among(name: str, known: list[str], what: str) -> None:
    if name not in known:
        raise UsageError(
            "there is no %s %r%s; there are: %s."
            % (what, name, suggestion(name, known), ", ".join(known))
        )


def suggestion(name: str, known: Iterable[str]) -> str:
    """What was meant, after a slip; "" if nothing is near."""
    near = difflib.get_close_matches(name.lower(), list(known), 1, 0.65)
    return " (did you mean %r?)" % near[0] if near else ""


def constants(folder: str, name: str) -> dict[str, Any]:
    """The literal top-level assignments of a plug-in, read without importing
    it: targets are written for other interpreters."""
    path = PACKAGE / folder / (name.replace("-", "_") + ".py")
    found: dict[str, Any] = {}
    tree = ast.parse(path.read_text())
    found["__doc__"] = ast.get_docstring(tree) or ""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(
            node.targets[0], ast.Name
        ):
            try:
                found[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:
                continue
    return found

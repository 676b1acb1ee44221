"""Where ``serve`` gets its options from. Later ones win:

defaults
wsgibench.toml, or [tool.wsgibench.serve] of pyproject.toml, in the current
    directory; or the file that is named (--config)
WSGIBENCH_* variables (WSGIBENCH_MAX_REQUESTS=1000)
the command line
"""

from __future__ import annotations

import difflib
import importlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, NamedTuple

from wsgibench.errors import UsageError
from wsgibench.native.options import Options
from wsgibench.native.settings import SETTINGS, to_core

FILE = "wsgibench.toml"
PROJECT = "pyproject.toml"
PREFIX = "WSGIBENCH_"
#: Variables of that prefix that mean something else.
OTHERS = {"BACKEND", "SETTINGS", "CONFIG", "PARSER", "DEV", "CFFI"}
WORDS: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    list: "a list of texts",
}
YES, NO = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}


class Value(NamedTuple):
    value: Any
    origin: str  # "default", a file, a variable, "command line"


def _kinds() -> dict[str, type]:
    """Option -> bool, int, float, str or list."""
    kinds: dict[str, type] = {"app": str}
    for each in fields(Options):
        default = getattr(Options(), each.name)
        kinds[each.name] = str if default is None else type(default)
    for setting in SETTINGS:
        kinds[setting.name] = (
            str if setting.text else float if setting.seconds else int
        )
    kinds["workers"] = str  # or a number
    return kinds


KINDS = _kinds()


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(name, known, 1, 0.5)
    return "; did you mean %s?" % close[0] if close else "."


def _from_text(name: str, text: str, origin: str) -> Any:
    kind = KINDS[name]
    try:
        if kind is bool:
            if text.lower() not in YES | NO:
                raise ValueError
            return text.lower() in YES
        if kind is list:
            return text.replace(",", " ").split()
        return kind(text)
    except ValueError as error:
        what = "yes or no" if kind is bool else "a number"
        raise UsageError(
            "%s: %s is %s, not %r." % (origin, name, what, text)
        ) from error


def _from_toml(name: str, value: Any, origin: str) -> Any:
    kind = KINDS[name]
    if name == "workers" and type(value) is int:
        return value
    if name in ("user", "group") and type(value) is int:
        return str(value)
    if kind is float and type(value) is int:
        return float(value)
    if kind is list and isinstance(value, str):
        return [value]
    fits = type(value) is kind
    if kind is list and fits:
        fits = all(isinstance(each, str) for each in value)
    if not fits:
        what = "a number or auto" if name == "workers" else WORDS[kind]
        raise UsageError("%s: %s is %s, not %r." % (origin, name, what, value))
    return value


def _parse(path: str) -> dict[str, Any]:
    name = "tomllib" if sys.version_info >= (3, 11) else "tomli"
    try:
        tomllib = importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise UsageError(
            "reading %s needs Python 3.11 or the package tomli." % path
        ) from error
    try:
        with open(path, "rb") as file:
            found: dict[str, Any] = tomllib.load(file)
            return found
    except OSError as error:
        raise UsageError(
            "cannot read %s: %s." % (path, error.strerror)
        ) from error
    except ValueError as error:  # TOMLDecodeError is one
        raise UsageError("%s is not TOML: %s." % (path, error)) from error


def _of_project(path: str) -> dict[str, Any]:
    """[tool.wsgibench.serve]; it need not be there."""
    project: Any = _parse(path)
    for name in ("tool", "wsgibench", "serve"):
        close = difflib.get_close_matches(name, project, 1, 0.8)
        if close and close[0] != name and name != "tool":
            raise UsageError(
                "%s: there is no table %r; did you mean %s?"
                % (path, close[0], name)
            )
        project = project.get(name, {})
        if not isinstance(project, dict):
            raise UsageError("%s: %s is no table." % (path, name))
    found: dict[str, Any] = project
    return found


def _mentions_us(path: str) -> bool:
    """Without a parser: Python before 3.11 has none."""
    with open(path, "rb") as file:
        return b"wsgibench" in file.read()


def _table(path: str | None) -> tuple[str, dict[str, Any]]:
    """The file's name and what it says."""
    if path is not None:
        if os.path.basename(path) != PROJECT:
            return path, _parse(path)
        return path, _of_project(path)
    if os.path.exists(FILE):
        return FILE, _parse(FILE)
    if os.path.exists(PROJECT) and _mentions_us(PROJECT):
        return PROJECT, _of_project(PROJECT)
    return "", {}


def _of_file(path: str | None) -> dict[str, Value]:
    origin, table = _table(path)
    found = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        if name not in KINDS:
            raise UsageError(
                "%s: there is no option %r%s"
                % (origin, key, _nearest(name, KINDS))
            )
        if name in found:
            raise UsageError("%s: %s is there twice." % (origin, key))
        found[name] = Value(_from_toml(name, value, origin), origin)
    return found


def _of_environment(environ: Mapping[str, str]) -> dict[str, Value]:
    found = {}
    for key, text in environ.items():
        name = key[len(PREFIX) :].lower()
        if not key.startswith(PREFIX) or name.upper() in OTHERS:
            continue
        if name in KINDS:
            found[name] = Value(_from_text(name, text, key), key)
        elif difflib.get_close_matches(name, KINDS, 1, 0.8):
            close = difflib.get_close_matches(name, KINDS, 1, 0.8)[0]
            raise UsageError(
                "there is no variable %s; did you mean %s%s?"
                % (key, PREFIX, close.upper())
            )
    return found


def gather(
    given: Mapping[str, Any], environ: Mapping[str, str]
) -> dict[str, Value]:
    """Every option that somebody has set. ``given`` is the command line."""
    path = given.get("config") or environ.get(PREFIX + "CONFIG")
    found = _of_file(path)
    found.update(_of_environment(environ))
    for name in KINDS:
        if name in given:
            found[name] = Value(given[name], "command line")
    return found


def check(given: Mapping[str, Any]) -> None:
    """UsageError for what serve would refuse, as far as that is known before
    anything is opened."""
    names = {each.name for each in fields(Options)}
    Options(**{k: v for k, v in given.items() if k in names}).check()
    others = names | {"app"}
    to_core({k: v for k, v in given.items() if k not in others})


def _as_toml(value: Any) -> str:
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False)


def describe(values: Mapping[str, Value], defaults: Mapping[str, Any]) -> str:
    """All options as a TOML file, with their origins as comments."""
    lines = []
    for name in KINDS:
        one = values.get(name, Value(defaults.get(name), "default"))
        if one.value is None:
            lines.append("# %s: not set" % name)
        else:
            text = _as_toml(one.value)
            lines.append("%s = %s  # %s" % (name, text, one.origin))
    return "\n".join(lines) + "\n"

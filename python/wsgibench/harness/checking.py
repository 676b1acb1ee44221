"""Is a value that was read a record? It is held against the types of
shapes.py, and against what types cannot say."""

from __future__ import annotations

import sys
from typing import Any, Literal, Union, get_type_hints

from wsgibench import shapes

if sys.version_info >= (3, 10):
    from types import NoneType
else:
    NoneType = type(None)


class Wrong(ValueError):
    """Where, and what must be there."""


#: Beyond it a number is no measurement, and floats lose whole ones.
LARGEST = 2**63


def _number(value: Any, is_whole: bool, where: str) -> None:
    kinds = (int,) if is_whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds):
        what = "a whole number" if is_whole else "a number"
        raise Wrong("%s must be %s" % (where, what))
    if not 0 <= value < LARGEST:  # nor NaN
        raise Wrong("%s must be neither negative nor endless" % where)


NAMES = {str: "text", bool: "true or false", NoneType: "null"}


def check(value: Any, kind: Any, where: str) -> None:
    """Raises Wrong if a value is not of the kind."""
    origin = getattr(kind, "__origin__", None)
    if kind is Any:
        return
    if kind in (int, float):
        _number(value, kind is int, where)
    elif kind in NAMES:
        if not isinstance(value, kind):
            raise Wrong("%s must be %s" % (where, NAMES[kind]))
    elif origin is Literal:
        if value not in kind.__args__:
            raise Wrong(
                "%s must be one of %s" % (where, ", ".join(kind.__args__))
            )
    elif origin is Union:
        if value is not None:
            check(value, kind.__args__[0], where)
    elif origin is list:
        if not isinstance(value, list):
            raise Wrong("%s must be a list" % where)
        for number, one in enumerate(value):
            check(one, kind.__args__[0], "%s[%d]" % (where, number))
    elif origin is dict:
        _object(value, where)
        for name, one in value.items():
            check(one, kind.__args__[1], "%s.%s" % (where, name))
    else:
        _fields(value, kind, where)


def _object(value: Any, where: str) -> None:
    if not isinstance(value, dict):
        raise Wrong("%s must be an object" % where)


_HINTS: dict[Any, dict[str, Any]] = {}


def _fields(value: Any, kind: Any, where: str) -> None:
    _object(value, where)
    if kind not in _HINTS:
        _HINTS[kind] = get_type_hints(kind)
    required = kind.__required_keys__
    for name, inner in _HINTS[kind].items():
        if name in value:
            check(value[name], inner, "%s.%s" % (where, name))
        elif name in required:
            raise Wrong("%s has no %s" % (where, name))


def _order(record: shapes.Record) -> None:
    """What the shapes do not say: times go forward, a start is there once."""
    for number, cell in enumerate(record["cells"]):
        where = "record.cells[%d]" % number
        seen = set()
        for start in cell["starts"]:
            if start["start"] in seen:
                raise Wrong("%s has a start twice" % where)
            seen.add(start["start"])
            for window in start["load"]["windows"]:
                if window["end_ns"] <= window["start_ns"]:
                    raise Wrong("%s has a window without a length" % where)
            for name in ("usage", "client_usage", "machine_usage"):
                samples: Any = start.get(name, [])
                times = [one["time_ns"] for one in samples]
                if times != sorted(times):
                    raise Wrong("%s: times of %s go back" % (where, name))


def _sizes(record: shapes.SizeRecord) -> None:
    for number, cell in enumerate(record["cells"]):
        found = cell["size"]["found"]
        if found is not None and not any(
            one["holds"]
            and one["workers"] == found["workers"]
            and one["threads"] == found["threads"]
            for one in cell["size"]["tried"]
        ):
            where = "record.cells[%d].size" % number
            raise Wrong(where + ": what was found was not tried")


def _suite(record: shapes.Record) -> None:
    """Loads are known by their names, in the suite as in its cells."""
    suite = record.get("suite")
    if suite is None:
        return
    for matrix in suite["matrix"]:
        for name in matrix.get("loads", ()):
            if name not in suite["loads"]:
                raise Wrong("record.suite has no load %.60r" % name)
    for number, cell in enumerate(record["cells"]):
        if "name" not in cell["load"]:
            raise Wrong("record.cells[%d].load has no name" % number)


def _routes(record: shapes.Record) -> None:
    for one in record.get("baselines", []):
        for start in one["starts"]:
            for numbers in start["routes"].values():
                if len(numbers) != 3:
                    raise Wrong("record.baselines: a route has 3 numbers")


def checked(value: Any) -> dict[str, Any]:
    """A record of any kind; raises Wrong."""
    kind = value.get("kind") if isinstance(value, dict) else None
    if isinstance(kind, str) and kind in shapes.KINDS:
        check(value, shapes.KINDS[kind], "record")
        if kind == "size":
            _sizes(value)
    else:
        check(value, shapes.Record, "record")
        _order(value)
        _routes(value)
        _suite(value)
    found: dict[str, Any] = value
    return found

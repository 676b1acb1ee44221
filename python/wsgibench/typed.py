"""Is a value that was read of a type? Numbers are neither negative nor NaN or
infinite."""

from __future__ import annotations

import sys
from typing import Any, Literal, Union, get_type_hints

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

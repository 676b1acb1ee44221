"""A LoadSpec as JSON, for generators that are told over a pipe or a network.

Files that a spec names by path (certificates, ``pick:FILE``, ``@FILE``) are
read where the generator runs; a list of URLs is read here.
"""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Callable
from typing import Any

from wsgibench.errors import UsageError
from wsgibench.load.spec import Entry, LoadSpec
from wsgibench.load.urls import read_list


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode("ascii")}
    if isinstance(value, (tuple, list)):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return value


def to_json(spec: LoadSpec) -> dict[str, Any]:
    if spec.url_list and not spec.entries:
        entries = tuple(read_list(spec.url_list, spec.method))
        spec = dataclasses.replace(spec, entries=entries, url_list="")
    plain: dict[str, Any] = _plain(dataclasses.asdict(spec))
    return plain


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_frozen(one) for one in value)
    if isinstance(value, dict):
        return base64.b64decode(value["base64"], validate=True)
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _all(value: Any, kind: str) -> bool:
    return isinstance(value, tuple) and all(_is(one, kind) for one in value)


#: Of a field, as its dataclass writes it: is this value one of these?
CHECKS: dict[str, Callable[[Any], bool]] = {
    "None": lambda value: value is None,
    "bool": lambda value: isinstance(value, bool),
    "int": lambda value: _is_number(value) and isinstance(value, int),
    "float": _is_number,
    "str": lambda value: isinstance(value, str),
    "bytes": lambda value: isinstance(value, bytes),
    "Statuses": lambda value: _is(value, "int") or _all(value, "int"),
    "Headers": lambda value: (
        isinstance(value, tuple)
        and all(_all(one, "str") and len(one) == 2 for one in value)
    ),
    "tuple[float, float]": lambda value: (
        _all(value, "float") and len(value) == 2
    ),
    "tuple[float, ...]": lambda value: _all(value, "float"),
    "tuple[str, ...]": lambda value: _all(value, "str"),
    "tuple[Headers, ...]": lambda value: _all(value, "Headers"),
    "tuple[Stage, ...]": lambda value: (
        isinstance(value, tuple)
        and all(_all(one, "float") and len(one) == 3 for one in value)
    ),
    "tuple[Entry, ...]": lambda value: (
        isinstance(value, tuple)
        and all(isinstance(one, Entry) for one in value)
    ),
}


def _is(value: Any, kinds: str) -> bool:
    return any(CHECKS[kind](value) for kind in kinds.split(" | "))


def _checked(made: Any) -> None:
    """A value from a file or a network may be anything."""
    for field in dataclasses.fields(made):
        value = getattr(made, field.name)
        if not _is(value, str(field.type)):
            raise UsageError(
                "that is no load: its %s cannot be %.60r."
                % (field.name, value)
            )


def _fields(kind: Any, value: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UsageError("that is no load: %.60r is no object." % (value,))
    known = {field.name for field in dataclasses.fields(kind)}
    unknown = sorted(set(value) - known)
    if unknown:
        raise UsageError(
            "this version knows no %s of a load: update it."
            % ", ".join(unknown)
        )
    return value


def from_json(value: dict[str, Any]) -> LoadSpec:
    """UsageError for what is none."""
    try:
        fields = dict(_fields(LoadSpec, value))
        entries = tuple(
            Entry(
                **{
                    name: _frozen(one)
                    for name, one in _fields(Entry, entry).items()
                }
            )
            for entry in fields.pop("entries", ())
        )
        plain = {name: _frozen(one) for name, one in fields.items()}
        spec = LoadSpec(entries=entries, **plain)
        for made in (spec, *entries):
            _checked(made)
        spec.check()
        return spec
    except (
        RecursionError,
        AttributeError,
        KeyError,
        TypeError,
        ValueError,
    ) as error:
        raise UsageError("that is no load: %s." % error) from error

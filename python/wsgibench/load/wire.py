"""A LoadSpec as JSON, for generators that are told over a pipe or a network.

Files that a spec names by path (certificates, ``pick:FILE``, ``@FILE``) are
read where the generator runs; a list of URLs is read here.
"""

from __future__ import annotations

import base64
import dataclasses
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


def _fields(kind: Any, value: dict[str, Any]) -> dict[str, Any]:
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
        spec.check()
        return spec
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UsageError("that is no load: %s." % error) from error

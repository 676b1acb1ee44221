"""Is a value that was read a record? It is held against the types of
shapes.py, and against what types cannot say."""

from __future__ import annotations

from typing import Any

from wsgibench import shapes
from wsgibench.typed import Wrong, check


def _order(record: shapes.Record) -> None:
    """What the shapes do not say: times go forward, a start is there once."""
    for number, cell in enumerate(record["cells"]):
        where = "record.cells[%d]" % number
        seen = set()
        for start in cell["starts"]:
            if start["start"] in seen:
                raise Wrong("%s has a start twice" % where)
            seen.add(start["start"])
            _load(start["load"], where)
            for name in ("usage", "client_usage", "machine_usage"):
                samples: Any = start.get(name, [])
                times = [one["time_ns"] for one in samples]
                if times != sorted(times):
                    raise Wrong("%s: times of %s go back" % (where, name))


def _load(load: shapes.WholeLoad, where: str) -> None:
    for window in load["windows"]:
        if window["end_ns"] <= window["start_ns"]:
            raise Wrong("%s has a window without a length" % where)
    _censored(load.get("censored", {}), where)
    for name, route in load.get("routes", {}).items():
        _censored(route.get("censored", {}), where)
        if "ok" not in route["classes"]:
            raise Wrong("%s: classes of %.60r have no ok" % (where, name))


def _censored(times: shapes.SomeCensored, where: str) -> None:
    if times.get("count") and "hdr" not in times:
        raise Wrong("%s has censored times without a histogram" % where)


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


def _baselines(record: shapes.Record) -> None:
    for one in record.get("baselines", []):
        if "checked_under_load" in one and "stable" not in one:
            raise Wrong("record.baselines: what was checked has no stable")
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
        _baselines(value)
        _suite(value)
    found: dict[str, Any] = value
    return found

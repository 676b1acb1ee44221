"""A run that was interrupted, taken up again where it stopped.

Its plan follows from its arguments and its seed, so it is made again; the
starts that the record holds are left out of it.
"""

from __future__ import annotations

import json
from typing import Any

from wsgibench.errors import UsageError, WsgibenchError

Entry = dict[str, Any]


def _key(entry: Entry) -> str:
    python = entry["python"]
    return json.dumps(
        [
            entry["server"],
            python["name"],
            python["version"],
            python.get("build", ""),
            entry["scenario"],
            # The rate of a fraction is found out in the run.
            {**entry["load"], "rate": 0.0}
            if entry["load"].get("fraction")
            else entry["load"],
            entry.get("aa", False),
        ],
        sort_keys=True,
    )


class Earlier:
    """The starts of a record, handed out once each."""

    def __init__(self, record: Entry | None) -> None:
        cells = record["cells"] if record else []
        self._cells: dict[str, Entry] = {_key(cell): cell for cell in cells}

    def starts(self, entry: Entry) -> list[Entry]:
        """Of this cell; it must have been measured with what it is now."""
        found = self._cells.get(_key(entry))
        if found is None:
            return []
        if found["starts"] and found["versions"] != entry["versions"]:
            raise WsgibenchError(
                "it was begun with %s and would go on with %s; begin anew."
                % (_versions(found), _versions(entry))
            )
        del self._cells[_key(entry)]
        entry["load"]["rate"] = found["load"].get("rate", 0.0)
        if found.get("disturbed"):
            entry["disturbed"] = found["disturbed"]
        starts: list[Entry] = found["starts"]
        return starts

    def left(self) -> list[Entry]:
        """Cells with starts that this run does not ask for: they are kept."""
        return [cell for cell in self._cells.values() if cell["starts"]]


def _versions(entry: Entry) -> str:
    return ", ".join("%s %s" % item for item in entry["versions"].items())


def check_machine(record: Entry, machine: dict[str, Any]) -> None:
    for key in ("cpu", "kernel"):
        if record["machine"].get(key) != machine.get(key):
            raise UsageError(
                "this run was begun on another machine (%s: %s, here %s); "
                "begin anew." % (key, record["machine"].get(key), machine[key])
            )

"""What `size` found: the cheapest first, with its command line."""

from __future__ import annotations

from typing import Any

from wsgibench import runtimes
from wsgibench.stats import cost
from wsgibench.stats.columns import three

HELP = "a record of `size`"
KINDS = ("size",)

Cell = dict[str, Any]

#: Of numbers().
HEADS = (
    *("workers", "threads", "p99 ms", "% of a CPU", "% waited for one"),
    *("MiB", "objectives"),
)


def used(cell: Cell) -> dict[str, Any]:
    """What was measured of the size that was found."""
    best = cell["size"]["found"]
    found: dict[str, Any] = next(
        one
        for one in reversed(cell["size"]["tried"])
        if one["holds"]
        and (one["workers"], one["threads"])
        == (best["workers"], best["threads"])
    )
    return found


def month(cell: Cell, record: dict[str, Any]) -> float:
    """USD of a month at the rate, by what was used."""
    asked = cost.prices(record)
    found = used(cell)
    hour = (
        found["cpu_share"] * asked.cpu + found["rss"] / cost.GIB * asked.memory
    )
    return float(cost.HOURS_OF_A_MONTH * hour)


def sized(record: dict[str, Any]) -> list[Cell]:
    """The cheapest first."""
    cells = [one for one in record["cells"] if one["size"]["found"]]
    return sorted(cells, key=lambda cell: month(cell, record))


def render(record: dict[str, Any]) -> str:
    lines = ["for %g requests/s with %s:" % (record["rate"], record["slo"])]
    for cell in sized(record):
        lines += [
            "  " + headline(cell, record),
            "      " + cell["size"]["found"]["command"],
            "      " + _why(cell["size"]),
            *_tried(cell["size"]),
        ]
    for cell in record["cells"]:
        if not cell["size"]["found"]:
            lines += [
                "  %s: nothing within the limits holds" % title(cell),
                "      " + _why(cell["size"]),
                *_tried(cell["size"]),
            ]
    lines += disturbed(record)
    tried = [one for cell in record["cells"] for one in cell["size"]["tried"]]
    if any(one.get("shared") for one in tried):
        lines.append(SHARED)
    for failure in [*record["failures"], *record.get("skipped", [])]:
        where = failure["cell"]
        lines.append("* %s%s" % (where and where + ": ", failure["reason"]))
    return "\n".join(lines) + "\n"


def disturbed(record: dict[str, Any]) -> list[str]:
    """Of those that may need less."""
    return [
        "* %s: disturbed, so it may need less: %s; run it again on a quiet "
        "machine" % (title(cell), cell["size"]["disturbed"])
        for cell in record["cells"]
        if cell["size"].get("disturbed")
    ]


SHARED = (
    "* with as many workers as CPUs the client had to share theirs: on a "
    "machine of their own they bear more"
)


def title(cell: Cell) -> str:
    python = runtimes.name(cell["python"], cell.get("starts", ()))
    return "%s on %s" % (cell["server"], python)


def headline(cell: Cell, record: dict[str, Any]) -> str:
    best = cell["size"]["found"]
    return "%s: %d x %d (workers x threads), %s a month" % (
        title(cell),
        best["workers"],
        best["threads"],
        cost.money(month(cell, record)),
    )


def why(cell: Cell) -> str:
    return "%s: %s" % (title(cell), _why(cell["size"]))


def _why(size: dict[str, Any]) -> str:
    return (
        "a request takes %s us of CPU and waits %s us, so %s are under way "
        "on average and at least %d worker%s needed"
        % (
            three(size["cpu_us"]),
            three(size["wait_us"]),
            three(size["under_way"]),
            size["least_workers"],
            " is" if size["least_workers"] == 1 else "s are",
        )
    )


def numbers(one: dict[str, Any]) -> list[str]:
    """A row of what was tried."""
    return [
        str(one["workers"]),
        str(one["threads"]),
        "-" if one["p99_ns"] is None else three(one["p99_ns"] / 1e6),
        "%.0f" % (100 * one["cpu_share"]),
        "%.0f" % (100 * one["wait_share"]),
        "%.0f" % (one["rss"] / 2**20),
        "kept" if one["holds"] else "missed",
    ]


def _tried(size: dict[str, Any]) -> list[str]:
    form = "      %s x %s: p99 %s ms, %s %% of a CPU, waited for one %s %%, "
    return [
        (form + "%s MiB") % tuple(numbers(one)[:-1])
        + ("" if one["holds"] else "; does not hold")
        for one in size["tried"]
    ]

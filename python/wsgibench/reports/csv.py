"""For spreadsheets: one row a cell, raw numbers."""

from __future__ import annotations

import csv
import io
from typing import Any

from wsgibench.stats.summary import rows

HELP = "comma-separated values"


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    pairs = ("%s=%s" % pair for pair in row["verdicts"].items())
    return dict(
        row,
        reasons="; ".join(row["reasons"]),
        doubts=" ".join(one["code"] for one in row["doubts"]),
        verdicts=" ".join(pairs),
    )


def render(record: dict[str, Any]) -> str:
    results = rows(record)
    names = sorted({name for row in results for name in row})
    out = io.StringIO()
    writer = csv.DictWriter(out, names, restval="")
    writer.writeheader()
    for row in results:
        writer.writerow(_flat(row))
    return out.getvalue()

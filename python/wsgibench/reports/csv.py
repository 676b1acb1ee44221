"""For spreadsheets: one row a cell, raw numbers."""

from __future__ import annotations

import csv
import io
from typing import Any

from wsgibench.stats.summary import rows

HELP = "comma-separated values"


def render(record: dict[str, Any]) -> str:
    results = rows(record)
    names = sorted({name for row in results for name in row})
    out = io.StringIO()
    writer = csv.DictWriter(out, names, restval="")
    writer.writeheader()
    for row in results:
        writer.writerow(dict(row, reasons="; ".join(row["reasons"])))
    return out.getvalue()

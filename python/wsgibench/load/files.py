"""Where results go: files, or standard output for ``-``.

A file that cannot be written is told of before the run. A result that was
measured is written before anything is printed.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from typing import Any

from wsgibench.errors import UsageError
from wsgibench.load.hdr import Histogram, highest_value

STDOUT = "-"


def check(*paths: str) -> None:
    """UsageError for what will not be writable."""
    for path in filter(None, paths):
        if path == STDOUT:
            continue
        folder = os.path.dirname(path) or "."
        if os.path.isdir(path):
            reason = "it is a folder"
        elif not os.path.isdir(folder):
            reason = "there is no folder %s" % folder
        elif not os.access(path if os.path.exists(path) else folder, os.W_OK):
            reason = "no permission"
        else:
            continue
        raise UsageError("cannot write %s: %s." % (path, reason))


def write(path: str, text: str) -> None:
    try:
        if path == STDOUT:
            sys.stdout.write(text)
            sys.stdout.flush()
            return
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UsageError(
            "cannot write %s: %s." % (path, error.strerror)
        ) from error


def lines(values: Iterable[Any]) -> str:
    """One JSON a line."""
    return "".join(json.dumps(value) + "\n" for value in values)


def write_json(path: str, values: Iterable[Any]) -> None:
    write(path, lines(values))


def spectrum(histogram: Histogram) -> str:
    """HdrHistogram's percentile distribution, in milliseconds, as its
    plotters read it: value, share, count so far, 1 / (1 - share)."""
    lines = [
        "%12s %14s %10s %14s\n"
        % ("Value", "Percentile", "TotalCount", "1/(1-Percentile)")
    ]
    total = histogram.count
    seen = 0
    for place in sorted(histogram.places):
        seen += histogram.places[place]
        share = seen / total
        value = min(highest_value(place), histogram.max or 1 << 62) / 1e6
        line = "%12.3f %2.12f %10d" % (value, share, seen)
        if seen < total:
            line += " %14.2f" % (1 / (1 - share))
        lines.append(line + "\n")
    mean, most = histogram.mean / 1e6, histogram.max / 1e6
    lines.append(
        "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n"
        % (mean, deviation(histogram) / 1e6)
    )
    lines.append(
        "#[Max     = %12.3f, Total count    = %12d]\n" % (most, total)
    )
    lines.append("#[Buckets = %12d, SubBuckets     = %12d]\n" % (33, 2048))
    return "".join(lines)


def deviation(histogram: Histogram) -> float:
    """Of the values as they are kept: to three digits."""
    if not histogram.count:
        return 0.0
    mean = histogram.mean
    squares = sum(
        count * (highest_value(place) - mean) ** 2
        for place, count in histogram.places.items()
    )
    return float((squares / histogram.count) ** 0.5)

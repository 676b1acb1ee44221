"""Results of a load as text: JSON lines, and a spectrum of times."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from wsgibench.load.hdr import Histogram, highest_value


def lines(values: Iterable[Any]) -> str:
    """One JSON a line."""
    return "".join(json.dumps(value) + "\n" for value in values)


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

"""Usage samples of a record, read at moments between them."""

from __future__ import annotations

from typing import Any


def cpu_at(samples: list[dict[str, Any]], time_ns: int) -> float:
    """CPU (ns) used up to a moment, between samples by straight line."""
    before = after = samples[0]
    for sample in samples:
        after = sample
        if sample["time_ns"] >= time_ns:
            break
        before = sample
    span = after["time_ns"] - before["time_ns"]
    if span <= 0:
        return float(after["cpu_ns"])
    share: float = min(1.0, max(0.0, (time_ns - before["time_ns"]) / span))
    used = float(after["cpu_ns"] - before["cpu_ns"])
    return float(before["cpu_ns"]) + share * used

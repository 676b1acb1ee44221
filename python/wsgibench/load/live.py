"""One line that follows a run, on a terminal only."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

from wsgibench.load.generator import Live, OnLive
from wsgibench.load.output import time_text


def line(live: Live, before: Live) -> str:
    """Rate over the last interval, the rest so far."""
    elapsed = live["elapsed_ns"] - before.get("elapsed_ns", 0)
    done = live["ok"] - before.get("ok", 0)
    return "%5.1f s  %8.0f/s  p50 %s  p99 %s  %d ok  %d failed  %d open" % (
        live["elapsed_ns"] / 1e9,
        done / max(elapsed / 1e9, 1e-9),
        time_text(live["p50_ns"]),
        time_text(live["p99_ns"]),
        live["ok"],
        live["failed"],
        live["connected"],
    )


@contextlib.contextmanager
def following(wanted: bool) -> Iterator[OnLive | None]:
    """What ``run`` calls now and then; None when nobody watches."""
    if not wanted or not sys.stderr.isatty():
        yield None
        return
    try:
        from rich.console import Console
        from rich.status import Status
    except ImportError:  # an extra: wsgibench[bench]
        yield None
        return
    before: Live = {}

    def show(live: Live) -> None:
        if live["elapsed_ns"] - before.get("elapsed_ns", 0) >= 0.9e9:
            status.update(line(live, before))
            before.update(live)

    with Status("starting", console=Console(stderr=True)) as status:
        yield show

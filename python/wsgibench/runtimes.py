"""Builds of one interpreter by name: what rows and records call them.

``t`` marks a free-threaded CPython. What it does when nothing is said is not
named (the GIL off, no JIT); ``GIL on`` and ``JIT on`` are, whoever turned them
on: a switch (``3.13t:gil=1``), or an extension that needs the GIL.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def name(python: Mapping[str, Any], starts: Sequence[Any] = ()) -> str:
    """``CPython 3.13.5t, GIL on``. `python`: as a record has it; `starts`: of
    the cell, which tell what was so in the end."""
    text = "%s %s%s" % (
        python["implementation"],
        python["version"],
        python.get("build", ""),
    )
    for switch in ("gil", "jit"):
        observed = [start.get("target", {}).get(switch) for start in starts]
        asked = "%s=1" % switch in python.get("switches", "").split()
        if asked or any(observed):
            text += ", %s on" % switch.upper()
    return text

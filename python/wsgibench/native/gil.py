"""The global interpreter lock: CPython can be built without it, and such a
build can have it on all the same (PYTHON_GIL=1, -X gil=1, or an extension
that cannot do without)."""

from __future__ import annotations

import sys


def is_on() -> bool:
    ask = getattr(sys, "_is_gil_enabled", None)
    return ask is None or bool(ask())

"""The C server, through whichever binding this interpreter can use.

CPython takes the C API binding, PyPy the cffi one; ``WSGIBENCH_BACKEND``
(``capi`` or ``cffi``) decides otherwise. There is no silent second choice: a
slower binding in its place would falsify every measurement.
"""

from __future__ import annotations

import importlib
import os
import platform
from functools import cache
from types import ModuleType

from wsgibench.errors import UsageError, WsgibenchError

#: binding name -> the module that implements ``contract.NAMES``
BINDINGS = {
    "capi": "wsgibench.native._capi",
    "cffi": "wsgibench.native.cffi_binding",
}


class NotBuiltError(WsgibenchError):
    """This installation has no native part for this interpreter."""


def preferred() -> str:
    name = os.environ.get("WSGIBENCH_BACKEND")
    if name is None:
        is_pypy = platform.python_implementation() == "PyPy"
        return "cffi" if is_pypy else "capi"
    if name not in BINDINGS:
        raise UsageError(
            "WSGIBENCH_BACKEND must be one of %s, not %r."
            % (", ".join(BINDINGS), name)
        )
    return name


def importable() -> dict[str, str]:
    """Binding name -> "" if it can be used here, else why not."""
    reasons = {}
    for name, module in BINDINGS.items():
        try:
            importlib.import_module(module)
        except ImportError as error:
            reasons[name] = str(error)
        else:
            reasons[name] = ""
    return reasons


@cache
def binding(name: str = "") -> ModuleType:
    """The binding's module; see ``contract``."""
    chosen = name or preferred()
    try:
        return importlib.import_module(BINDINGS[chosen])
    except ImportError as error:
        attempts = "; ".join(
            "%s: %s" % (name, reason or "works (WSGIBENCH_BACKEND=%s)" % name)
            for name, reason in importable().items()
        )
        raise NotBuiltError(
            "the server is not built for %s %s (tried %s); install libuv and "
            "http-parser and reinstall wsgibench."
            % (
                platform.python_implementation(),
                platform.python_version(),
                attempts,
            )
        ) from error

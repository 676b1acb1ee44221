"""``module:app`` as an object."""

from __future__ import annotations

import importlib
import os
import sys
import traceback

from wsgibench.errors import UsageError, WsgibenchError
from wsgibench.native.contract import Application


def find_file(text: str, directory: str = ".") -> list[str]:
    """Where the module is looked for: files to watch when it failed."""
    name = text.partition(":")[0].replace(".", os.sep)
    base = os.path.join(os.path.abspath(directory), name)
    return [base + ".py", os.path.join(base, "__init__.py")]


def load_app(text: str, directory: str = ".") -> Application:
    module_name, colon, path = text.partition(":")
    if not module_name or (colon and not path):
        raise UsageError("%r is not an application like module:app." % text)
    sys.path.insert(0, os.path.abspath(directory))
    try:
        found = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name != module_name.split(".")[0]:
            raise WsgibenchError(
                "importing %s failed: %s." % (module_name, error)
            ) from error
        raise UsageError(
            "there is no module %r in %s or on the import path."
            % (module_name, os.path.abspath(directory))
        ) from error
    except Exception as error:
        traceback.print_exc()
        raise WsgibenchError(
            "importing %s failed: %s: %s."
            % (module_name, type(error).__name__, error)
        ) from error
    for name in (path or "application").split("."):
        if not hasattr(found, name):
            raise UsageError(
                "%s has no attribute %r." % (module_name, path or name)
            )
        found = getattr(found, name)
    if not callable(found):
        raise UsageError("%s is not callable." % text)
    return found

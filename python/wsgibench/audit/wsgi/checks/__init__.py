"""One module per subject, found by its file name; each has CHECKS."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil

from wsgibench.audit.wsgi.check import Check


def all_checks() -> list[Check]:
    found = []
    for module in pkgutil.iter_modules(__path__):
        loaded = importlib.import_module(__name__ + "." + module.name)
        found += [
            dataclasses.replace(check, family=module.name)
            for check in loaded.CHECKS
        ]
    return sorted(found, key=lambda check: (check.family, check.name))

"""One module per family, found by its file name; each has FAULTS."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil

from wsgibench.audit.faults.fault import Fault


def all_faults() -> list[Fault]:
    found = []
    for module in pkgutil.iter_modules(__path__):
        loaded = importlib.import_module(__name__ + "." + module.name)
        found += [
            dataclasses.replace(fault, family=module.name)
            for fault in loaded.FAULTS
        ]
    return sorted(found, key=lambda fault: (fault.family, fault.name))

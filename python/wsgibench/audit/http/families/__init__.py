"""One module per family, found by its file name; each has CASES."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil

from wsgibench.audit.http.case import Case


def all_cases() -> list[Case]:
    found = []
    for module in pkgutil.iter_modules(__path__):
        loaded = importlib.import_module(__name__ + "." + module.name)
        found += [
            dataclasses.replace(case, family=module.name)
            for case in loaded.CASES
        ]
    names = [(case.family, case.name) for case in found]
    assert len(names) == len(set(names)), "two cases of one name"
    return sorted(found, key=lambda case: (case.family, case.name))

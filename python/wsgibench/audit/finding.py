"""What was found of one case, and the sum of them."""

from __future__ import annotations

import collections
from collections.abc import Iterable
from dataclasses import dataclass

LEVELS = ("must", "should", "robust")
#: What stands apart from a wrong status, worst first.
KINDS = ("crash", "smuggled", "injected", "hang", "wrong")


@dataclass(frozen=True)
class Finding:
    suite: str  # http or wsgi
    family: str
    name: str
    rule: str
    level: str
    complaint: str = ""  # "": right
    kind: str = ""  # one of KINDS; "": right
    sent: bytes = b""
    piece: int = 0  # bytes of it that were sent at a time; 0: all of them
    received: bytes = b""
    #: How the server read the bytes: "200 /a, 200 /b", "400", "no answer".
    meaning: str = ""
    seconds: float = 0.0

    @property
    def right(self) -> bool:
        return not self.complaint

    @property
    def id(self) -> str:
        return "%s/%s/%s" % (self.suite, self.family, self.name)


def kind_of(complaint: str) -> str:
    """The kind of a complaint about an answer."""
    if complaint in ("SMUGGLED", "INJECTED"):
        return complaint.lower()
    if "left open" in complaint or "neither answered" in complaint:
        return "hang"
    return "wrong" if complaint else ""


def score(findings: Iterable[Finding]) -> dict[str, dict[str, int]]:
    """suite -> counts: right, of, each level wrong, each kind."""
    table: dict[str, dict[str, int]] = {}
    for finding in findings:
        row = table.setdefault(finding.suite, collections.Counter())
        row["of"] += 1
        row["right"] += finding.right
        row[finding.level + "_of"] += 1
        row[finding.level] += finding.right
        if finding.kind:
            row[finding.kind] += 1
    return {name: dict(row) for name, row in table.items()}


def worst(findings: Iterable[Finding]) -> Finding | None:
    """What a user must hear of first; None if all is right."""
    wrong = [finding for finding in findings if not finding.right]
    if not wrong:
        return None
    return min(
        wrong,
        key=lambda f: (KINDS.index(f.kind), LEVELS.index(f.level), f.id),
    )

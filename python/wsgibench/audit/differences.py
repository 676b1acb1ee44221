"""Where servers part: the same bytes, understood in more than one way.

Two servers in one path that read a message differently are what request
smuggling needs (the idea of the HTTP Garden); which of them is right does not
matter for that.
"""

from __future__ import annotations

from collections.abc import Sequence

from wsgibench.audit.record import Audit


def of(audits: Sequence[Audit]) -> dict[str, dict[str, list[str]]]:
    """case -> meaning -> labels of the servers that gave it; only cases with
    more than one. Who closed after an answer, as a server may, understood the
    beginning like one that went on."""
    found: dict[str, dict[str, list[str]]] = {}
    for audit in audits:
        for finding in audit.findings:
            if finding.meaning:
                meanings = found.setdefault(finding.id, {})
                meanings.setdefault(finding.meaning, []).append(audit.label)
    return {
        name: meanings
        for name, meanings in found.items()
        if len(_longest(meanings)) > 1
    }


def _longest(meanings: dict[str, list[str]]) -> list[str]:
    """Without those that are the beginning of another."""
    return [
        one
        for one in meanings
        if not any(other.startswith(one + ", ") for other in meanings)
    ]


def text(audits: Sequence[Audit]) -> str:
    parted = of(audits)
    cases = {f.id for audit in audits for f in audit.findings if f.meaning}
    lines = [
        "%d of %d messages are understood in more than one way."
        % (len(parted), len(cases))
    ]
    for name, meanings in sorted(parted.items()):
        lines.append(name)
        for meaning, labels in sorted(
            meanings.items(), key=lambda item: -len(item[1])
        ):
            lines.append("  %-40s %s" % (meaning, ", ".join(labels)))
    return "\n".join(lines) + "\n"

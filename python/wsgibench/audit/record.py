"""An audit as JSON, JUnit XML and text.

The JSON object: "wsgibench_audit" (the version of this form), "date",
"servers": a list of {"label", "server", "python", "versions", "error",
"seconds", "score", "findings"}; a finding's "sent" and "received" are latin-1
text, at most 2,000 bytes of each.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypedDict
from xml.etree import ElementTree

from wsgibench import printable
from wsgibench.audit.finding import KINDS, LEVELS, Finding, score, worst
from wsgibench.typed import check

FORM = 1
#: Of the machine that it ran on.
PLACE = re.compile(r"(?:/[\w.+-]+){3,}")
#: Characters that XML 1.0 has no place for.
UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd]")


@dataclass
class Audit:
    """One server on one interpreter."""

    label: str
    server: str = ""
    python: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    error: str = ""  # why there is no result
    seconds: float = 0.0
    date: str = ""
    parser: str = ""  # of c-uv: the library it was built with, and its version

    @property
    def right(self) -> bool:
        return not self.error and all(f.right for f in self.findings)

    @property
    def version(self) -> str:
        return version(self.server, self.versions)


def version(server: str, versions: Mapping[str, str]) -> str:
    """Of the server's package: gunicorn for gunicorn-sync, peregrine-server
    for peregrine; "" if it has none. wsgibench is installed for its own."""
    name = server.partition(":")[0].partition("-")[0]
    near = [v for k, v in versions.items() if k.startswith(name + "-")]
    other = near[0] if near else versions.get("wsgibench", "")
    return versions.get(name, other)


def summary(audit: Audit) -> dict[str, Any]:
    """{"date", "right", "of", "worst"}: what tables of speed show of it."""
    first = worst(audit.findings)
    return {
        "date": audit.date,
        "right": sum(finding.right for finding in audit.findings),
        "of": len(audit.findings),
        "worst": "" if first is None else in_short(first),
    }


def in_short(finding: Finding) -> str:
    """Its name and what is wrong. A path of the machine that it ran on tells
    nobody else anything."""
    return "%s: %s" % (finding.id, PLACE.sub("...", finding.complaint)[:120])


def to_scores(audits: Iterable[Audit]) -> str:
    """What harness/audits.py knows of servers that were not audited where
    they run: summaries by server, Python and version, one a line."""
    lines = [
        json.dumps(
            {
                "server": audit.server,
                "python": audit.python.rpartition(".")[0],
                "version": audit.version,
                **summary(audit),
            }
        )
        for audit in sorted(audits, key=lambda one: one.label)
        if audit.findings
    ]
    return "[\n%s\n]\n" % ",\n".join(lines)


def _finding(finding: Finding) -> dict[str, Any]:
    found = asdict(finding)
    for name in ("sent", "received"):
        found[name] = found[name].decode("latin-1")
    found["seconds"] = round(finding.seconds, 3)
    return found


def to_json(audits: Sequence[Audit], date: str) -> str:
    servers = []
    for audit in audits:
        entry = asdict(audit)
        entry["seconds"] = round(audit.seconds, 1)
        entry["score"] = score(audit.findings)
        entry["findings"] = [_finding(one) for one in audit.findings]
        servers.append(entry)
    whole = {"wsgibench_audit": FORM, "date": date, "servers": servers}
    return json.dumps(whole, indent=1) + "\n"


class _Asked(TypedDict):
    suite: str
    family: str
    name: str
    rule: str
    level: str
    sent: str
    received: str


class _Found(_Asked, total=False):
    complaint: str
    kind: str
    meaning: str
    seconds: float


class _Audited(TypedDict):
    label: str
    findings: list[_Found]


class _Server(_Audited, total=False):
    server: str
    python: str
    versions: dict[str, str]
    error: str
    seconds: float
    score: dict[str, Any]
    date: str
    parser: str


class _Whole(TypedDict):
    wsgibench_audit: int
    date: str
    servers: list[_Server]


def from_json(whole: Any) -> list[Audit]:
    """Of what was read; raises ValueError for what to_json() did not make."""
    check(whole, _Whole, "audit")
    if whole["wsgibench_audit"] != FORM:
        raise ValueError("form %r" % whole["wsgibench_audit"])
    try:
        return [_audit(entry, whole["date"]) for entry in whole["servers"]]
    except TypeError as error:  # a field that there is not
        raise ValueError("no record of an audit") from error


def _audit(entry: dict[str, Any], date: str) -> Audit:
    """`date`: of the file, for entries from when they had none."""
    entry.setdefault("date", date)
    entry.pop("score", None)
    findings = [_finding_of(found) for found in entry.pop("findings")]
    return Audit(**entry, findings=findings)


def _finding_of(found: dict[str, Any]) -> Finding:
    for name in ("sent", "received"):
        found[name] = found[name].encode("latin-1")
    finding = Finding(**found)
    if finding.level not in LEVELS or finding.kind not in ("", *KINDS):
        raise ValueError(
            "%.60r is no level and kind" % [finding.level, finding.kind]
        )
    return finding


def to_junit(audits: Sequence[Audit]) -> str:
    """As Jenkins and GitLab read it: every case has a class and a name, the
    two are there once, and the counts are those of the cases."""
    root = ElementTree.Element("testsuites")
    for audit in audits:
        root.append(_junit_suite(audit))
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, 0)) for suite in root)))
    root.set("time", "%.1f" % sum(audit.seconds for audit in audits))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _junit_suite(audit: Audit) -> ElementTree.Element:
    label = _printable(audit.label)
    # Up to a dot it is a package for Jenkins.
    package = label.replace(".", "_")
    wrong_ones = wrong(audit.findings)
    suite = ElementTree.Element(
        "testsuite",
        name=label,
        tests=str(len(audit.findings) + bool(audit.error)),
        failures=str(len(wrong_ones)),
        errors=str(int(bool(audit.error))),
        skipped="0",
        time="%.1f" % audit.seconds,
    )
    if audit.error:
        case = _junit_case(suite, package, "start", audit.seconds)
        message = _printable(audit.error)
        ElementTree.SubElement(case, "error", type="error", message=message)
    for finding in audit.findings:
        where = "%s.%s.%s" % (package, finding.suite, finding.family)
        case = _junit_case(suite, where, finding.name, finding.seconds)
        if not finding.right:
            failure = ElementTree.SubElement(
                case,
                "failure",
                type="%s %s" % (finding.level, finding.kind),
                message=_printable(finding.complaint),
            )
            failure.text = _printable(conversation(finding))
    return suite


def _junit_case(
    suite: ElementTree.Element, where: str, name: str, seconds: float
) -> ElementTree.Element:
    return ElementTree.SubElement(
        suite, "testcase", classname=where, name=name, time="%.3f" % seconds
    )


def _printable(text: str) -> str:
    return UNPRINTABLE.sub("?", text)


def conversation(finding: Finding) -> str:
    how = " (%d at a time)" % finding.piece if finding.piece else ""
    return "sent     %r%s\nreceived %r" % (
        finding.sent,
        how,
        finding.received,
    )


def _counts(row: dict[str, int]) -> str:
    parts = ["%d of %d right" % (row["right"], row["of"])]
    for level in ("must", "should", "robust"):
        if level + "_of" in row:
            parts.append("%s %d/%d" % (level, row[level], row[level + "_of"]))
    for kind in ("crash", "smuggled", "injected", "hang"):
        if row.get(kind):
            parts.append("%s %d" % (kind, row[kind]))
    return ", ".join(parts)


def to_text(audit: Audit, verbose: bool) -> str:
    if audit.error:
        return printable.text("%s: no result: %s" % (audit.label, audit.error))
    lines = [audit.label]
    for name, row in sorted(score(audit.findings).items()):
        lines.append("  %-5s %s" % (name, _counts(row)))
    first = worst(audit.findings)
    if first is not None:
        lines.append(
            "  worst: %s (%s, %s): %s"
            % (first.id, first.level, first.rule, first.complaint)
        )
    if verbose:
        lines += [describe(one) for one in wrong(audit.findings)]
    return printable.text("\n".join(lines))


def wrong(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if not finding.right]


def describe(finding: Finding) -> str:
    """A finding with its bytes."""
    return "  %s (%s, %s): %s\n    %s" % (
        finding.id,
        finding.level,
        finding.rule,
        finding.complaint or "right",
        conversation(finding).replace("\n", "\n    "),
    )

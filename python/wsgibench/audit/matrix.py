"""All audited servers as one Markdown table (docs/trust.md)."""

from __future__ import annotations

from collections.abc import Sequence

from wsgibench.audit.finding import Finding, score, worst
from wsgibench.audit.record import Audit, in_short

#: Between these a page is made anew, and stays as it is around them.
BEGIN, END = "<!-- audit: begin -->\n", "<!-- audit: end -->\n"
COLUMNS = (
    "server",
    "version",
    "Python",
    "HTTP right",
    "must",
    "WSGI right",
    "faults right",
    "smuggled",
    "injected",
    "hangs",
    "crashes",
    "what fails worst",
)


def markdown(audits: Sequence[Audit]) -> str:
    lines = [
        "| " + " | ".join(COLUMNS) + " |",
        "|" + "---|" * len(COLUMNS),
    ]
    done = [audit for audit in audits if audit.findings]
    for audit in sorted(done, key=_order):
        lines.append("| " + " | ".join(_row(audit)) + " |")
    dates = sorted({audit.date for audit in done})
    when = "from %s to %s" if len(dates) > 1 else "on %s"
    when %= tuple(dates[:1] + dates[1:][-1:]) or ("no day",)
    text = "Checked %s.\n\n%s\n" % (when, "\n".join(lines))
    absent = [audit for audit in audits if not audit.findings]
    if absent:
        text += "\nNot checked:\n\n"
        text += "".join("- %s: %s\n" % (a.label, a.error) for a in absent)
    return text


def _right(audit: Audit) -> int:
    return sum(finding.right for finding in audit.findings)


def _order(audit: Audit) -> tuple[int, str]:
    return (-_right(audit), audit.label)


def _row(audit: Audit) -> list[str]:
    rows = score(audit.findings)
    http, wsgi = rows.get("http", {}), rows.get("wsgi", {})

    def whole(kind: str) -> str:
        count = sum(row.get(kind, 0) for row in rows.values())
        return str(count) if count else ""

    def part(row: dict[str, int], name: str, of: str) -> str:
        return "%d/%d" % (row[name], row[of]) if row.get(of) else ""

    return [
        audit.server or "`%s`" % audit.label,
        ", ".join(filter(None, [audit.version, audit.parser])),
        audit.python,
        part(http, "right", "of"),
        part(http, "must", "must_of"),
        part(wsgi, "right", "of"),
        part(rows.get("faults", {}), "right", "of"),
        whole("smuggled"),
        whole("injected"),
        whole("hang"),
        whole("crash"),
        _words(worst(audit.findings)),
    ]


def _words(finding: Finding | None) -> str:
    return "" if finding is None else in_short(finding).replace("|", "\\|")


def into(page: str, table: str) -> str:
    """The page with the table between its marks; the table alone for a page
    without them."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        return table
    return before + begin + "\n" + table + "\n" + end + after

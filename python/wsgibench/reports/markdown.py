"""For READMEs and issue threads."""

from __future__ import annotations

from typing import Any

from wsgibench.printable import markdown
from wsgibench.stats import answers
from wsgibench.stats.columns import cell, columns, notes
from wsgibench.stats.summary import rows

HELP = "Markdown: the answer and a table"


def render(record: dict[str, Any]) -> str:
    results = rows(record)
    shown = columns(results)
    lines = [
        "- **%s, %s**: %s"
        % tuple(map(markdown, (one.load, one.python, answers.sentence(one))))
        for one in answers.answers(record, answers.entries(record))
    ]
    lines += [
        "",
        "| " + " | ".join(title for title, _ in shown) + " |",
        "|" + "---|" * len(shown),
    ]
    for row in results:
        cells = (markdown(cell(row, name)) for _, name in shown)
        lines.append("| " + " | ".join(cells) + " |")
    lines.append("")
    lines += ["- " + markdown(line) for line in notes(record, results)]
    return "\n".join(lines) + "\n"

"""Lines and tables for the terminal. Text in them is others': none of it is
rich's markup, and where a table is too wide for its page, text goes on in the
next line; numbers and short names are never broken or cut."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

TEXT, NAME, NUMBER = "text", "name", "number"
SHORT = 40  # a name that is longer may be broken
LEAST = 8  # columns of text are not narrower, or each letter has a line


@dataclass(frozen=True)
class Column:
    title: str
    kind: str = TEXT


Rows = Sequence[Sequence[str]]


def columns(kind: str, *titles: str) -> list[Column]:
    return [Column(title, kind) for title in titles]


class Page:
    """Printed into a string."""

    def __init__(self, width: int) -> None:
        from rich.console import Console

        self._out = io.StringIO()
        self._width = width
        self._console = Console(
            file=self._out,
            width=width,
            color_system=None,
            markup=False,
            emoji=False,
            highlight=False,
        )

    def line(self, text: str = "") -> None:
        self._out.write(text + "\n")

    def table(self, columns: Sequence[Column], rows: Rows) -> None:
        """A table whose numbers alone are wider than the page stands out."""
        from rich.measure import Measurement

        made = _made(columns, rows, is_narrow=False)
        options = self._console.options.update(width=1 << 20)
        if Measurement.get(self._console, options, made).maximum > self._width:
            made = _made(columns, rows, is_narrow=True)
        least = sum(2 + (one.min_width or 0) for one in made.columns)
        self._console.width = max(self._width, least)
        self._console.print(made, crop=False)

    def text(self) -> str:
        return self._out.getvalue()


def table(columns: Sequence[Column], rows: Rows, width: int) -> str:
    """That alone."""
    page = Page(width)
    page.table(columns, rows)
    return page.text()


def _made(columns: Sequence[Column], rows: Rows, *, is_narrow: bool) -> Table:
    from rich.table import Table

    made = Table(box=None, pad_edge=False)
    for index, column in enumerate(columns):
        title = column.title
        longest = _longest(*(row[index] for row in rows))
        is_number = column.kind == NUMBER
        if is_number:
            if is_narrow:
                title = _wrapped(title, longest)
            longest = max(longest, _longest(title))
        whole = is_number or (column.kind == NAME and longest <= SHORT)
        made.add_column(
            title,
            justify="right" if is_number else "left",
            overflow="fold",
            no_wrap=whole,
            min_width=longest if whole else min(longest, LEAST),
        )
    for row in rows:
        made.add_row(*row)
    return made


def _longest(*texts: str) -> int:
    from rich.cells import cell_len

    lines = (line for text in texts for line in text.split("\n"))
    return max(map(cell_len, lines), default=0)


def _wrapped(title: str, width: int) -> str:
    """At its words, to that width or its longest word."""
    width = max(width, *map(len, title.split()), 1)
    return "\n".join(
        "\n".join(textwrap.wrap(line, width, break_on_hyphens=False))
        for line in title.split("\n")
    )

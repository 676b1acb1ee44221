"""A number is shown with its verdict, and the same in the table, in the
sentences, at the head of the page and below its pictures."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.stats import synthetic
from wsgibench.reports import _pictures, _sweep, html, markdown, table
from wsgibench.reports._pictures import Picture
from wsgibench.reports._terminal import Page
from wsgibench.stats import answers, choice, columns, summary
from wsgibench.verdicts import (
    GOODPUT,
    INVALID,
    LATENCY,
    NUMBERS,
    SUSPECT,
    doubt,
)

LIMITED = doubt(
    "client-limited", SUSPECT, (GOODPUT, LATENCY), "the client was it", ""
)
WRONG = doubt("wrong-answers", INVALID, NUMBERS, "9 wrong bodies", "mend it")


def cell(
    server: str, costs: Any, *doubts: Any, connections: int = 64
) -> dict[str, Any]:
    """Three starts of 9,000 requests/s each."""
    starts = []
    for block in range(3):
        used = 900 * np.asarray(costs) * (1 + block / 1000)
        starts.append(synthetic.start(np.full(40, 900), used, block=block))
        starts[-1]["load"]["doubts"] = list(doubts)
    return synthetic.cell(server, starts, load={"connections": connections})


STEADY = np.full(40, 150.0)
UNSTEADY = np.r_[np.full(20, 100.0), np.full(20, 130.0)]


def limited() -> dict[str, Any]:
    return synthetic.record(
        [cell("first", STEADY / 2, LIMITED), cell("b", STEADY)]
    )


def unsteady() -> dict[str, Any]:
    return synthetic.record([cell("first", UNSTEADY), cell("b", STEADY)])


def headline(record: dict[str, Any]) -> dict[str, tuple[str, str]]:
    (chosen,) = choice.choices(record, answers.entries(record))
    found = html.figures_of(record, chosen)
    return {name: (number, ends) for name, number, ends in found}


def row(record: dict[str, Any], server: str = "first") -> dict[str, Any]:
    return next(r for r in summary.rows(record) if r["server"] == server)


def pictures(record: dict[str, Any]) -> dict[str, Picture]:
    return {
        one.section: one for one in _pictures.all_of(answers.entries(record))
    }


def test_a_bound_is_one_on_the_page_too() -> None:
    record = limited()
    assert columns.cell(row(record), "goodput") == ">=9000"
    found = headline(record)
    assert "requests/s at most" not in found
    assert found["requests/s"] == (">=9000", "[9000, 9000]")
    assert found["p99 time"][0] == (
        columns.cell(row(record), "p99_ns") + " ms"
    )
    assert found["p99 time"][0].startswith("~")
    (first, other) = pictures(record)["capacity"].table[1]
    assert first[2] == ">=9000 [9000, 9000]"
    assert other[2] == "9000 [9000, 9000]"
    (first, _) = pictures(record)["spectrum"].table[1]
    assert all(text[0] in "~-" for text in first[2:])


def test_a_range_is_one_in_the_sentences_too() -> None:
    record = unsteady()
    shown = columns.cell(row(record), "server_cpu_us")
    assert shown == "100..130"
    assert headline(record)["CPU for a request"] == ("100..130 us", "")
    (chosen,) = choice.choices(record, answers.entries(record))
    said = choice.sentences(record, chosen)[0]
    assert said.startswith(
        "first on CPython 3.11.7: 100..130 us of CPU for a request"
    )
    (first, other) = pictures(record)["cpu"].table[1]
    assert first[2] == "100..130"
    assert other[2].startswith("150.15 [")
    (drawn,) = pictures(record)["cpu"].figure["data"]
    low = drawn["x"][0] - drawn["error_x"]["arrayminus"][0]
    assert low == pytest.approx(100, rel=0.01)


@pytest.mark.parametrize("form", [html.render, markdown.render, table.render])
def test_every_form_shows_the_range(form: Callable[..., str]) -> None:
    text = form(unsteady())
    assert text.count("100..130") >= 2  # the sentence and the row
    assert not re.search(r"\b115\.?\d* ?(us|\[)|, 115", text)


def test_a_range_that_is_no_measurement_is_in_brackets() -> None:
    record = synthetic.record([cell("first", UNSTEADY, WRONG)])
    assert columns.cell(row(record), "server_cpu_us") == "(100..130)"


def test_what_is_no_measurement_is_in_no_picture() -> None:
    cells = [
        cell(name, costs, *doubts, connections=connections)
        for connections in (16, 64)
        for name, costs, doubts in (
            ("wrong", STEADY / 10, [WRONG]),
            ("b", STEADY, []),
        )
    ]
    found = pictures(synthetic.record(cells))
    for section in ("cpu", "capacity", "spectrum", "memory", "latency"):
        one = found[section]
        drawn = str((one.figure, one.table))
        assert "'b" in drawn, section
        assert "wrong" not in drawn, section
        assert one.left_out == "wrong, CPython 3.11.7", section
    assert "wrong" not in str(found["sweep"].figure)
    text = html.render(synthetic.record(cells))
    assert "not drawn: wrong, CPython 3.11.7." in text


def test_no_row_is_held_against_a_ceiling_that_is_no_measurement() -> None:
    record = synthetic.record(
        [cell("null", STEADY / 10, WRONG), cell("first", STEADY)]
    )
    assert columns.cell(row(record), "cpu_vs_null") == "-"


def test_a_bound_is_one_in_the_sweep_of_a_suite() -> None:
    found = row(limited())
    rows = {("hello", "first", "all", 64): {"ours": {"CPython": found}}}
    page = Page(120)
    _sweep.show("all", rows, page)
    assert ">=9000 █" in page.text()

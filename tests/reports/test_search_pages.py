"""Records of `capacity` and `size`: the page holds what the terminal says."""

from __future__ import annotations

import html as markup
import re
from pathlib import Path
from typing import Any

import pytest

from tests.stats import synthetic
from wsgibench import cli
from wsgibench.harness import record as records
from wsgibench.reports import capacity, html, size


def cell(server: str, **more: Any) -> dict[str, Any]:
    return {**synthetic.cell(server, []), **more}


def searched(rate: float) -> dict[str, Any]:
    trials = [
        {
            "rate": part * rate,
            "holds": part <= 1,
            "p50_ns": 2e6 * part,
            "p99_ns": 40e6 * part**3,
            "client_cpu_share": 0.95 * part,
        }
        for part in (0.25, 0.5, 0.9, 1.0, 1.1)
    ]
    return {
        "closed_loop": 1.4 * rate,
        "capacity": rate,
        "is_bound": False,
        "trials": trials,
    }


def of_capacity() -> dict[str, Any]:
    cells = [
        cell(
            server,
            starts=[
                {"start": n, **searched(rate * (1 + 0.01 * n))}
                for n in range(3)
            ],
        )
        for server, rate in (("waitress", 432.1), ("c-uv", 987.6))
    ]
    made = synthetic.record(cells)
    made.update(kind="capacity", slo="p99=50ms,errors=0.1%", starts=3)
    made["limits_ns"] = {"p99": 50e6}
    made["failures"] = [{"cell": "bjoern on pypy3", "reason": "no <pair>."}]
    return made


def tried(workers: int, threads: int, holds: bool) -> dict[str, Any]:
    return {
        "workers": workers,
        "threads": threads,
        "holds": holds,
        "p99_ns": 61.7e6 if holds else None,
        "cpu_share": 0.41,
        "wait_share": 0.02,
        "rss": 57 << 20,
        "shared": workers > 1,
    }


def of_size() -> dict[str, Any]:
    numbers = {
        "cpu_us": 2050.0,
        "wait_us": 20_100.0,
        "least_workers": 1,
        "under_way": 4.43,
        "tried": [tried(1, 5, False), tried(2, 7, True)],
    }
    found = {
        "workers": 2,
        "threads": 7,
        "server": "waitress",
        "command": "waitress-serve --threads=7 a:app",
    }
    cells = [
        cell("waitress", size={**numbers, "found": found}),
        cell("c-uv", size={**numbers, "tried": [], "found": None}),
    ]
    made = synthetic.record(cells)
    made.update(kind="size", slo="p99=100ms", rate=200.0)
    return made


def test_few_requests_tell_no_p99() -> None:
    made = of_capacity()
    assert "do not tell" not in capacity.render(made)
    for one in made["cells"]:
        one["load"]["duration"] = 1.5
    said = capacity.render(made)
    assert "waitress on CPython 3.11.7: a trial has about 6" in said
    assert "do not tell p99 well" in said


def text_of(page: str) -> str:
    shown = re.sub(r"<style>.*?</style>|<svg.*?</svg>|<[^>]+>", " ", page)
    return " ".join(markup.unescape(shown).split())


@pytest.mark.parametrize("made", [of_capacity(), of_size()])
def test_the_page_by_the_command(made: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    records.write(made, path)
    out = path.with_suffix(".html")
    assert cli.main(["report", str(path), "-o", str(out)]) == 0
    page = out.read_text(encoding="utf-8")
    assert len(page.encode()) < 200_000
    assert "<svg" in page
    assert not re.search(r"(src|href)=.(https?:)?//", page)
    assert cli.main(["report", str(path), "--format", "csv"]) == 2


def test_capacity_says_the_same_in_both() -> None:
    made = of_capacity()
    shown, printed = text_of(html.render(made)), capacity.render(made)
    rows = capacity.rows(made)
    assert [row.server for row in rows] == ["c-uv", "waitress"]
    for row in rows:
        assert row.text in shown
        assert row.text in printed
    for said in [capacity.verdict(rows), *capacity.notes(rows)]:
        assert said in shown
        assert said in printed
    assert "c-uv on CPython" in capacity.verdict(rows)
    assert "the client had no CPU left" in printed
    assert "no <pair>." in shown
    assert "the objective: p99 of 50 ms" in shown


OTHERS = "others used 1.20 CPUs of theirs"


def test_what_others_disturbed_is_in_no_number() -> None:
    made = of_capacity()
    waitress, c_uv = made["cells"]
    for start in c_uv["starts"]:
        start["disturbed"] = OTHERS
    waitress["starts"][0].update(disturbed=OTHERS, capacity=1.0)
    rows = capacity.rows(made)
    assert [row.server for row in rows] == ["waitress", "c-uv"]
    assert rows[0].stands
    assert rows[0].rate.estimate > 400
    assert rows[1].text.startswith("(")
    shown, printed = text_of(html.render(made)), capacity.render(made)
    for said in capacity.notes(rows):
        assert said in shown
        assert said in printed
    assert "1 of 3 starts were disturbed and are left out" in printed
    assert "disturbed, so it may bear more: " + OTHERS in printed
    assert capacity.verdict(rows) == ""
    sized = of_size()
    sized["cells"][0]["size"]["disturbed"] = OTHERS
    for text in (text_of(html.render(sized)), size.render(sized)):
        assert "disturbed, so it may need less: " + OTHERS in text


def test_size_says_the_same_in_both() -> None:
    made = of_size()
    shown, printed = text_of(html.render(made)), size.render(made)
    (best,) = size.sized(made)
    for said in (
        size.headline(best, made),
        best["size"]["found"]["command"],
        size.why(best).partition(": ")[2],
    ):
        assert said in shown
        assert said in printed
    assert "the client had to share theirs" in printed
    assert "nothing within the limits holds" in printed

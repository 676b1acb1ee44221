"""The page: what it says, and that a browser shows it without a word."""

from __future__ import annotations

import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.stats import synthetic
from wsgibench import cli
from wsgibench.harness import record as records
from wsgibench.reports import csv, html, markdown, table
from wsgibench.verdicts import INVALID, NUMBERS, doubt

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
ROOT = Path(__file__).resolve().parents[2]
HOSTILE = "</script><b>tornado</b>"


def sweep() -> dict[str, Any]:
    """Two interpreters, three numbers of connections, an open loop, a twin
    and every kind of verdict."""
    made = synthetic.race(
        {"null": 5.0, "c-uv": 6.0, HOSTILE: 150.0}, seed=1, starts=3
    )
    cells = list(made["cells"])
    for connections in (16, 256):
        more = synthetic.race({"c-uv": 6.0, "null": 5.0}, seed=connections)
        for cell in more["cells"]:
            cell["load"]["connections"] = connections
            cells.append(cell)
    pypy = synthetic.race({"c-uv": 9.0, "null": 5.0}, seed=7)["cells"]
    for cell in pypy:
        cell["python"].update(implementation="PyPy", version="3.9.16")
        cells.append(cell)
    paced = synthetic.race({"c-uv": 6.0}, seed=8)["cells"][0]
    paced["load"]["rate"] = 5000.0
    twin = {**synthetic.race({"c-uv": 6.0}, seed=9)["cells"][0], "twin": True}
    broken = synthetic.cell("gevent", [])
    made["cells"] = [*cells, paced, twin, broken]
    made["cells"][1]["starts"][0]["load"]["doubts"] = [
        doubt("wrong-answers", INVALID, NUMBERS, "2 wrong bodies", "mend it")
    ]
    made["skipped"] = [{"cell": "bjoern on pypy3", "reason": "no such pair."}]
    return made


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "record.json"
    records.write(sweep(), path)
    out = path.with_suffix(".html")
    assert cli.main(["report", str(path), "-o", str(out)]) == 0
    return out


class Outline(HTMLParser):
    """Which elements there are, and which ids they have and point at."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.outside: list[str] = []
        self.plots = 0
        self.unnamed = 0

    def handle_starttag(
        self, tag: str, attrs: list[tuple[str, str | None]]
    ) -> None:
        found = dict(attrs)
        if found.get("id"):
            self.ids.append(str(found["id"]))
        href = found.get("href") or ""
        if href.startswith("#"):
            self.targets.append(href[1:])
        if found.get("src") or href.startswith(("http", "//")):
            self.outside.append(tag)
        if found.get("class") == "plot":
            self.plots += 1
            self.unnamed += not found.get("aria-label")


def test_page_holds_everything_and_no_address_elsewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert len(text.encode()) < 8 << 20
    outline = Outline()
    outline.feed(text)
    assert len(outline.ids) == len(set(outline.ids))
    assert set(outline.targets) <= set(outline.ids)
    assert not outline.outside
    assert outline.plots >= 20
    assert outline.unnamed == 0
    for section in ("cpu", "capacity", "latency", "spectrum", "warmup"):
        assert section in outline.ids
    assert {"sweep", "memory", "validity", "settings"} <= set(outline.ids)


def test_page_says_what_was_found(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "hello, 64 connections, PyPy 3.9.16:" in text
    assert "2 wrong bodies" in text
    assert "no such pair." in text
    assert "Noise floor: one server measured twice" in text
    assert "no start of it gave a result" in text


def test_names_are_no_markup(page: Path) -> None:
    assert "<b>tornado" not in page.read_text(encoding="utf-8")


def test_other_forms() -> None:
    made = sweep()
    assert "| c-uv |" in markdown.render(made)
    assert "INVALID" in table.render(made)
    lines = csv.render(made).splitlines()
    assert len(lines) == len(made["cells"]) + 1


def test_an_empty_record_has_a_page() -> None:
    text = html.render(synthetic.record([]))
    assert "Nothing was measured that could be trusted" in text


@pytest.fixture(scope="module")
def browser() -> Any:
    api = pytest.importorskip(
        "playwright.sync_api", reason="pip install wsgibench[browser]"
    )
    if CHROMIUM is None:
        pytest.skip("apt-get install chromium")
    with api.sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        yield found
        found.close()


def test_a_picture_for_a_readme(page: Path, browser: Any) -> None:
    out = page.with_suffix(".svg")
    program = ROOT / "benchmarks" / "picture.py"
    made = subprocess.run(
        [sys.executable, program, page.with_suffix(".json"), out],
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    text = out.read_text(encoding="utf-8")
    assert text.startswith("<svg")
    assert ">c-uv<" in text


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
def test_browser_draws_every_plot_without_a_word(
    page: Path, browser: Any, width: int, scheme: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme
    )
    context.set_offline(True)
    shown = context.new_page()
    said: list[str] = []
    shown.on("console", lambda message: said.append(message.text))
    shown.on("pageerror", lambda error: said.append(str(error)))
    shown.goto(page.as_uri())
    shown.wait_for_selector(".plot[data-drawn]", state="attached")
    shown.evaluate("drawAll()")
    plots = shown.locator(".plot")
    # A frame for every plot, and inside it something of every trace.
    frames = shown.locator(".plot svg.main-svg:first-child")
    assert plots.count() == frames.count() >= 20
    empty = shown.evaluate(
        "Array.from(document.querySelectorAll('.plot')).filter("
        "p => !p.querySelector('.trace, .points, .bars')).length"
    )
    assert empty == 0
    assert not said
    inner = shown.evaluate("document.documentElement.scrollWidth")
    assert inner <= width
    shown.emulate_media(media="print")
    back = shown.evaluate("getComputedStyle(document.body).backgroundColor")
    assert back == "rgb(255, 255, 255)"
    context.close()

"""The page: what it says, and that a browser shows it without a word."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.stats import synthetic
from wsgibench import cli
from wsgibench.harness import record as records
from wsgibench.reports import csv, html, markdown, table
from wsgibench.stats import answers, choice
from wsgibench.verdicts import INVALID, NUMBERS, doubt

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
ROOT = Path(__file__).resolve().parents[2]
HOSTILE = "</script><b>tornado</b>"


def sweep() -> dict[str, Any]:
    """Two interpreters, three numbers of connections, an open loop, an A/A
    row and every kind of verdict."""
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
    aa = {**synthetic.race({"c-uv": 6.0}, seed=9)["cells"][0], "aa": True}
    broken = synthetic.cell("gevent", [])
    made["cells"] = [*cells, paced, aa, broken]
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
        if tag == "svg" and found.get("role") == "img":
            self.plots += 1
            self.unnamed += not found.get("aria-label")


def test_page_holds_everything_and_no_address_elsewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert len(text.encode()) < 2 << 20
    outline = Outline()
    outline.feed(text)
    assert len(outline.ids) == len(set(outline.ids))
    assert set(outline.targets) <= set(outline.ids)
    assert not outline.outside
    assert outline.plots >= 40  # each in two widths
    assert outline.unnamed == 0
    for section in ("cpu", "capacity", "latency", "spectrum", "warmup"):
        assert section in outline.ids
    assert {"sweep", "memory", "results", "settings"} <= set(outline.ids)


def test_a_number_on_a_phone_has_its_column_beside_it(page: Path) -> None:
    """There tables have no head: each row is a list."""
    text = page.read_text(encoding="utf-8")
    tables = re.findall(r'<table class="stacks">.*?</table>', text, re.S)
    assert len(tables) > 5
    for one in tables:
        heads = re.findall(r'<th scope="col">(.*?)</th>', one)
        named = re.findall(r"<td([^>]*)>", one)
        assert named
        allowed = [' data-column="%s"' % head for head in heads]
        assert set(named) <= set(allowed)


def test_page_says_what_was_found(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert ">hello, 64 connections<" in text
    assert "PyPy 3.9.16" in text
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


def test_a_picture_for_a_readme(page: Path) -> None:
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
    ElementTree.fromstring(text)


def test_every_picture_is_well_formed_and_inside_its_frame(
    page: Path,
) -> None:
    text = page.read_text(encoding="utf-8")
    drawn = re.findall(r"<svg xmlns.*?</svg>", text, re.S)
    assert len(drawn) >= 40
    for one in drawn:
        root = ElementTree.fromstring(one)
        width, height = map(float, root.attrib["viewBox"].split()[2:])
        shapes = [e for e in root.iter() if e.tag.endswith(("rect", "path"))]
        assert len(shapes) >= 3
        numbers = re.findall(r"translate\(([\d.-]+) ([\d.-]+)\)", one)
        assert all(0 <= float(x) <= width for x, _ in numbers)
        assert all(0 <= float(y) <= height for _, y in numbers)
        assert "nan" not in one


def test_the_page_holds_the_numbers_of_the_terminal(page: Path) -> None:
    """In words that a web developer knows."""
    made = records.read(page.with_suffix(".json"))
    text = page.read_text(encoding="utf-8")
    entries = answers.entries(made)
    for one in entries:
        if one.cpu is not None:
            assert answers.interval_text(one.cpu, "%.2f") in text
    for chosen in choice.choices(made, entries):
        for said in choice.sentences(made, chosen):
            assert html_text(said) in text
    shown = re.sub(r"<style>.*?</style>|<svg.*?</svg>|<[^>]+>", " ", text)
    assert not re.search(r"\bcells?\b|octet", shown)


def html_text(text: str) -> str:
    import markupsafe

    return str(markupsafe.escape(text))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
def test_a_browser_shows_it_without_a_word(
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
    assert not said
    inner = shown.evaluate("document.documentElement.scrollWidth")
    assert inner <= width
    ends = "e => e.map(one => one.getBoundingClientRect().right)"
    numbers = shown.locator(".rows .number:visible, .rows .verdict:visible")
    assert max(numbers.evaluate_all(ends)) <= width
    kind = ".narrow" if width < 640 else ".wide-plot"
    visible = shown.locator(".plot %s svg" % kind)
    assert visible.count() >= 20
    assert visible.first.is_visible()
    badge = shown.locator(".rows .number .verdict").first
    assert badge.is_visible()  # beside the number, on a phone too
    shown.emulate_media(media="print")
    back = shown.evaluate("getComputedStyle(document.body).backgroundColor")
    assert back == "rgb(255, 255, 255)"
    context.close()

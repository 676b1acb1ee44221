"""The first picture of a record's report as an SVG file, for a README.

    python benchmarks/picture.py results/hello.json docs/hello.svg

Draws with the report's own figures in a headless Chromium (pip install
'wsgibench[browser]', apt-get install chromium).
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "python"))

from wsgibench.harness import record as records  # noqa: E402
from wsgibench.reports import html  # noqa: E402

#: On white: the page that shows it may be light or dark.
DRAW = """([place, width]) => {
    const shown = document.querySelectorAll(".plot")[place];
    const layout = structuredClone(shown.layout);
    Object.assign(layout, {
        paper_bgcolor: "white", plot_bgcolor: "white", width: width,
        font: { color: "#222", family: "sans-serif", size: 13 },
    });
    return Plotly.toImage({ data: shown.data, layout: layout },
                          { format: "svg", width: width,
                            height: shown.layout.height });
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("record", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--plot", type=int, default=0, help="which, from 0")
    parser.add_argument("--width", type=int, default=820, help="pixels")
    arguments = parser.parse_args()

    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        page.write_text(html.render(records.read(arguments.record)))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            shown = browser.new_page(color_scheme="light")
            shown.goto(page.as_uri())
            shown.evaluate("drawAll()")
            url = shown.evaluate(DRAW, [arguments.plot, arguments.width])
            browser.close()
    text = urllib.parse.unquote(url.partition(",")[2])
    arguments.output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""A picture of a record's report as an SVG file, for a README.

Run it so::

    python benchmarks/picture.py results/hello.json docs/hello.svg
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "python"))

from wsgibench.harness import record as records  # noqa: E402
from wsgibench.reports import _pictures, _svg  # noqa: E402
from wsgibench.stats import answers  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("record", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--plot", type=int, default=0, help="which, from 0")
    parser.add_argument("--width", type=int, default=820, help="pixels")
    arguments = parser.parse_args()
    entries = answers.entries(records.read(arguments.record))
    picture = _pictures.all_of(entries)[arguments.plot]
    text = _svg.standalone(picture.figure, arguments.width, picture.title)
    arguments.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

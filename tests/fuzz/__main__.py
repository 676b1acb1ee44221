"""python -m tests.fuzz [--minutes N] [--jobs N] [target ...]: builds the
fuzz targets of csrc/fuzz with clang and runs each for N minutes of processor
time, under AddressSanitizer and UndefinedBehaviorSanitizer.

What was found before is kept in --corpus and built upon. Exit code 1 if a
target fails; the input that did it is named.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.fuzz import build


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.fuzz")
    parser.add_argument("targets", nargs="*", metavar="target")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--corpus", type=Path, default=Path("build/fuzz"))
    arguments = parser.parse_args()
    targets = arguments.targets or build.TARGETS
    for name in set(targets) - set(build.TARGETS):
        parser.error("no target %s: %s" % (name, ", ".join(build.TARGETS)))
    corpus = arguments.corpus.resolve()

    def one(target: str) -> build.Outcome:
        binary = build.compile_target(target, corpus)
        return build.run(
            target,
            binary,
            corpus,
            cpu_seconds=int(arguments.minutes * 60),
        )

    with ThreadPoolExecutor(max(arguments.jobs, 1)) as pool:
        outcomes = list(pool.map(one, targets))
    for outcome in outcomes:
        print("%-18s %s" % (outcome.target, outcome.summary))
    return 1 if any(outcome.failed for outcome in outcomes) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except build.Unbuildable as why:
        sys.exit(str(why))

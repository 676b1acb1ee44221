"""python -m tests.http [--server NAME] [--verbose]: the score of a server.

NAME is a module of tests/wire/servers. Exit code 1 if any case failed.
"""

from __future__ import annotations

import argparse
import collections
import sys

from tests.http import corpus, delivery
from tests.wire.target import running
from wsgibench.audit.http import families

WAYS = {
    "whole": delivery.whole,
    "bytes": delivery.by_byte,
    "cuts": delivery.every_cut,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.http")
    parser.add_argument("--server", default="wsgibench")
    parser.add_argument("--backend", help="capi or cffi, for wsgibench")
    parser.add_argument("--way", choices=WAYS, default="whole")
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    cases = families.all_cases() + corpus.cases()
    with running(
        "wsgibench_audit:application",
        server=arguments.server,
        binding=arguments.backend,
        unix=arguments.way != "whole",
    ) as target:
        outcomes = delivery.run(target, cases, WAYS[arguments.way])
        alive = target.alive
    total: collections.Counter[str] = collections.Counter()
    right: collections.Counter[str] = collections.Counter()
    for outcome in outcomes:
        total[outcome.case.family] += 1
        right[outcome.case.family] += not outcome.complaint
        if outcome.complaint and arguments.verbose:
            print(delivery.describe(outcome))
    for family in sorted(total):
        print("%-20s %4d of %4d" % (family, right[family], total[family]))
    print(
        "%-20s %4d of %4d" % ("all", sum(right.values()), sum(total.values()))
    )
    if not alive:
        print("the server died.")
    return 0 if alive and right == total else 1


if __name__ == "__main__":
    sys.exit(main())

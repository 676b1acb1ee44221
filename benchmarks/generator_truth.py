"""What generators make of a server whose faults are known.

    python benchmarks/generator_truth.py

The golden server of tests/load misbehaves on schedule and keeps an account.
Our generator (open loop, constant arrivals) and wrk load the same plans; the
truth is printed beside what they say, as a Markdown table.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "python"), str(ROOT)]

from tests.load.conftest import Golden  # noqa: E402

from wsgibench.load import drivers  # noqa: E402
from wsgibench.load.output import time_text  # noqa: E402
from wsgibench.load.run import run  # noqa: E402
from wsgibench.load.spec import LoadSpec  # noqa: E402

RATE, SECONDS = 250.0, 8.0

PLANS = {
    "each 10th answer 1 s late": {"delay_each": 10, "delay": 1.0},
    "one stop of 1.4 s": {"stall_at": 500, "stall": 1.4},
    "reset each 100th, wrong body each 50th": {
        "reset_each": 100,
        "wrong_each": 50,
    },
    "each 4th connection never answered": {"mute_each": 4},
}


def asked(url: str) -> LoadSpec:
    return LoadSpec(
        url,
        connections=64,
        duration=SECONDS,
        rate=RATE,
        poisson=False,
        expect_body=b"a right answer",
        timeout=5,
    )


def quantile(values: list[float], q: float) -> float:
    return sorted(values)[max(1, int(q * len(values) + 0.5)) - 1]


def true_tail(
    result: dict[str, Any], account: dict[str, Any]
) -> dict[str, float]:
    """Nanoseconds from each request's time on the schedule to its answer, by
    the server's clock; a request that is never answered waits for ever."""
    waited = [
        account["sent_ns"][str(number)]
        - (result["start_ns"] + number / RATE * 1e9)
        for number in range(1, result["scheduled"] + 1)
        if str(number) in account["sent_ns"]
    ]
    waited += [math.inf] * account["did"].get("mute", 0)
    return {
        "p99_ns": quantile(waited, 0.99),
        "p99.9_ns": quantile(waited, 0.999),
    }


def truth(account: dict[str, Any], tail: dict[str, float]) -> str:
    did = {kind: count for kind, count in account["did"].items() if count}
    words = ["%d requests" % account["requests"]]
    words += ["%s %d" % item for item in did.items()]
    for name, value in tail.items():
        text = "never" if value == math.inf else time_text(value)
        words.append("%s %s" % (name[:-3], text))
    return ", ".join(words)


def said(
    result: dict[str, Any], names: tuple[str, ...], true: dict[str, float]
) -> str:
    """Classes and tail, and beside the tail its ratio to the truth."""
    classes = ["%s %d" % item for item in result["classes"].items() if item[1]]
    tail = result["tail"]
    for name in names:
        if name not in tail:
            continue
        text = time_text(tail[name])
        if name in tail.get("at_least", ()):
            text = ">= " + text
        elif name in true and true[name] != math.inf:
            text += " (%.3f of the truth)" % (tail[name] / true[name])
        classes.append("%s %s" % (name[:-3], text))
    return ", ".join([*classes, result["verdict"]])


def main() -> None:
    print("| the server | its account | wsgibench load | wrk (its account) |")
    print("|---|---|---|---|")
    for name, plan in PLANS.items():
        server = Golden(**plan, times=True)
        ours = run(asked(server.url))
        account = server.account()
        tail = true_tail(ours, account)
        other = Golden(**plan)
        spec = LoadSpec(other.url, connections=64, duration=SECONDS, timeout=5)
        wrk = drivers.run("wrk", spec, ())
        did = {k: v for k, v in other.account()["did"].items() if v}
        print(
            "| %s | %s | %s | %s (%s) |"
            % (
                name,
                truth(account, tail),
                said(ours, ("p99_ns", "p99.9_ns"), tail),
                said(wrk, ("p99_ns", "max_ns"), {}),
                ", ".join("%s %d" % item for item in did.items()),
            )
        )


if __name__ == "__main__":
    main()

"""What a request costs the client: our generator against wrk.

    python benchmarks/generator_vs_wrk.py [--rounds 7] [--seconds 2]

Both load the same ``null`` server (the C core with a canned answer) from the
same CPU, by turns, with and without keep-alive, and once more with ours alone
filling in the templates of the header set ``proxied``; ours compares every
body, wrk none. wrk's CPU time is its process's, ours that of the run: without
Python's start, which is over before the first request. Must reach: client CPU
per request at most 0.85 of wrk's with keep-alive, 0.9 without, and 1.0 of
wrk's when ours fills in templates and wrk does not.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "python"))

from null_server import null_server  # noqa: E402

TOOLS = ("wsgibench", "wrk")
MODES = ("keep-alive", "no keep-alive", "templates")


def one(url: str, tool: str, mode: str, asked: argparse.Namespace) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run.json"
        command = [sys.executable, "-m", "wsgibench", "load", url, "--quiet"]
        command += ["-c", str(asked.connections), "-d", str(asked.seconds)]
        command += ["--cpu", str(asked.client_cpu), "--json", str(out)]
        if mode == "no keep-alive":
            command.append("--no-keepalive")
        if mode == "templates" and tool == "wsgibench":
            # wrk sends what it always sends.
            command += ["--headers", "proxied"]
        command += ["--learn"] if tool == "wsgibench" else ["--tool", tool]
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
        subprocess.run(command, env=environment)
        return json.loads(out.read_text())


def measure(url: str, asked: argparse.Namespace) -> dict[str, list[dict]]:
    """By turns, each round in the other order: drift hits both alike."""
    runs: dict[str, list[dict]] = {
        mode + ", " + tool: [] for mode in MODES for tool in TOOLS
    }
    for number in range(asked.rounds):
        for mode in MODES:
            for tool in TOOLS if number % 2 == 0 else TOOLS[::-1]:
                runs[mode + ", " + tool].append(one(url, tool, mode, asked))
    return runs


def spread(values: list[float]) -> str:
    return "%8.2f  [%.2f, %.2f]" % (
        statistics.median(values),
        min(values),
        max(values),
    )


def report(runs: dict[str, list[dict]]) -> None:
    print("client CPU, us per request: median [least, most]; rate, 1/s")
    for mode in MODES:
        cost, rate = {}, {}
        for tool in TOOLS:
            done = runs[mode + ", " + tool]
            cost[tool] = [run["client_cpu_us_per_request"] for run in done]
            rate[tool] = [run["goodput"] for run in done]
            print(
                "  %-13s %-10s %s  %s"
                % (mode, tool, spread(cost[tool]), spread(rate[tool]))
            )
        for name, by in (("CPU", cost), ("rate", rate)):
            pairs = [a / b for a, b in zip(by["wsgibench"], by["wrk"])]
            print("  %-13s %s / wrk's: %s" % (mode, name, spread(pairs)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--server-cpu", type=int, default=0)
    parser.add_argument("--client-cpu", type=int, default=1)
    asked = parser.parse_args()
    with null_server(asked.server_cpu) as url:
        report(measure(url + "/", asked))


if __name__ == "__main__":
    main()

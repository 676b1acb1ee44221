"""What a request costs the client: our FastUser against Locust's own users.

    python benchmarks/locust_cpu.py [--users 64] [--seconds 4]

The same locustfile, run by ``locust --headless`` on one CPU with one class of
users at a time, loads the ``null`` server on the other. CPU time is that of
Locust and of its generator's process; of a short and a long run the
difference counts, so what starting costs is not in it.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "python"))

from null_server import null_server  # noqa: E402

LOCUSTFILE = """
from locust import FastHttpUser, HttpUser, task
from wsgibench.locust import FastUser


class Fast(FastUser):
    pass


class FastHttp(FastHttpUser):
    @task
    def page(self):
        self.client.get("/")


class Http(HttpUser):
    @task
    def page(self):
        self.client.get("/")
"""
KINDS = {
    "Fast": "wsgibench.locust.FastUser",
    "FastHttp": "locust.FastHttpUser",
    "Http": "locust.HttpUser",
}


def once(
    url: str, kind: str, seconds: int, asked: argparse.Namespace
) -> tuple[int, float]:
    """(requests, seconds of CPU); nothing may fail."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "locustfile.py"
        file.write_text(LOCUSTFILE)
        command = [sys.executable, "-m", "locust", "-f", str(file), kind]
        command += ["--headless", "-H", url, "-t", "%ds" % seconds]
        command += ["-u", str(asked.users), "-r", str(asked.users)]
        command += ["--csv", "out", "--only-summary", "-L", "ERROR"]
        process = subprocess.Popen(
            ["taskset", "-c", str(asked.client_cpu), *command],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
        lines = (Path(folder) / "out_stats.csv").read_text().splitlines()
        total = [row for row in csv.DictReader(lines)][-1]
        if status or int(total["Failure Count"]):
            raise SystemExit("%s: %s failed." % (kind, total["Failure Count"]))
        # The generator's process is waited for by Locust, so it is in it.
        return int(total["Request Count"]), usage.ru_utime + usage.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--users", type=int, default=64)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--server-cpu", type=int, default=0)
    parser.add_argument("--client-cpu", type=int, default=1)
    asked = parser.parse_args()
    with null_server(asked.server_cpu) as url:
        print("requests per second of client CPU; us of it per request")
        for kind, name in KINDS.items():
            few, before = once(url, kind, asked.seconds, asked)
            many, after = once(url, kind, 3 * asked.seconds, asked)
            rate = (many - few) / (after - before)
            print("  %-26s %9.0f  %7.1f" % (name, rate, 1e6 / rate))


if __name__ == "__main__":
    main()

"""Does the standard profile find a loss of 3 % that no count shows?

    python benchmarks/planted_time.py [--server c-uv] [--python python3]

An application computes for two milliseconds. It is raced as it is, with a
sleep and with system calls that add 3 % of the time of a request (how many is
found out first), by `run --profile standard`; `compare` must call both slower
(exit code 1), and the same application, raced once more, not. About thirteen
minutes of a quiet machine; exit code 1 if one is not found.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

APPLICATION = """
import os
import time

BODY = b"x" * 40
TURNS = int(os.environ["TURNS"])
SLEEP = float(os.environ.get("SLEEP", "0"))
CALLS = int(os.environ.get("CALLS", "0"))

def application(environ, start_response):
    n = 0
    for i in range(TURNS):
        n += i
    if SLEEP:
        time.sleep(SLEEP)
    for _ in range(CALLS):
        os.stat("/")
    start_response("200 OK", [("Content-Length", "40")])
    return [BODY]
"""

SECONDS, PLANTED = 2e-3, 0.03
#: A sleep takes longer than it was asked for, by the timer's slack.
SHORTEST = 1e-6
REPEATED = 200


def lasts(call: Callable[[], object]) -> float:
    """Seconds of one call, of many the middle one."""
    found = []
    for _ in range(REPEATED):
        begin = time.perf_counter()
        call()
        found.append(time.perf_counter() - begin)
    return sorted(found)[len(found) // 2]


#: Seconds of a turn of the application's loop, by this interpreter.
MEASURE = """
import sys, time
sys.path.insert(0, sys.argv[1])
import os
os.environ["TURNS"] = "20000"
import planted
found = []
for _ in range(200):
    begin = time.perf_counter()
    planted.application({}, lambda *given: None)
    found.append(time.perf_counter() - begin)
print(sorted(found)[100] / 20000)
"""


def calibrated(python: str, folder: Path) -> dict[str, list[str]]:
    """Name of a variant -> what --env sets for it."""
    done = subprocess.run(
        [python, "-c", MEASURE, str(folder)],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    turns = int(SECONDS / float(done.stdout))
    wanted = PLANTED * SECONDS
    slack = lasts(lambda: time.sleep(SHORTEST))
    calls = round(wanted / lasts(lambda: os.stat("/")))
    sleep = max(SHORTEST, wanted - slack)
    print(
        "%d turns; a sleep of %.0f us (%.0f us); %d calls of stat()"
        % (turns, 1e6 * sleep, 1e6 * (sleep + slack), calls)
    )
    plain = ["TURNS=%d" % turns]
    return {
        "none": plain,
        "again": plain,
        "sleep": [*plain, "SLEEP=%g" % sleep],
        "calls": [*plain, "CALLS=%d" % calls],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", default="c-uv")
    parser.add_argument("--python", default="python3")
    asked = parser.parse_args()
    missed = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "planted.py").write_text(APPLICATION)
        command = [sys.executable, "-m", "wsgibench"]
        race = [*command, "run", "--app=planted:application"]
        race += ["--chdir", name, "--profile=standard"]
        race += ["--server", asked.server, "--python", asked.python]
        for variant, settings in calibrated(asked.python, folder).items():
            given = [
                word for setting in settings for word in ("--env", setting)
            ]
            output = str(folder / (variant + ".json"))
            print("-- " + variant, flush=True)
            subprocess.run([*race, *given, "-o", output])
            if variant == "none":
                continue
            plain = str(folder / "none.json")
            done = subprocess.run([*command, "compare", plain, output])
            if done.returncode != int(variant != "again"):
                missed.append(variant)
    print("missed: %s" % (", ".join(missed) or "none"))
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())

"""Does the counted gate find 1 %, and does it leave the same code alone?

    python benchmarks/gate_trials.py -o trials.jsonl

Twenty pairs of the same commit, and three times twenty plants of about 1 %
more instructions: in the path of an application (of this checkout and, every
second time, of one with `--app`), in the core, in the binding. Each is a run
of `gate --base HEAD --only counted` on a clone, beside two busy loops on the
CPUs. A line is written after each, and what FILE has already is not done
again; --table prints what there is.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from neighbours import busy

ROOT = Path(__file__).resolve().parent.parent
#: What a plant may take.
SECONDS = 180
KINDS = ("pairs", "application", "core", "binding")
HELLO = "python/wsgibench/target/apps/hello.py"
#: Files and functions that a request of c-uv passes once.
SITES = {
    "core": (
        ("csrc/core/server/respond.c", "wb_request_respond"),
        ("csrc/core/http/response_head.c", "wb__head_write"),
        ("csrc/core/server/conn.c", "wb__conn_answered"),
        ("csrc/core/http/request_head.c", "wb__request_head_read"),
    ),
    "binding": (
        ("csrc/cpython/answer.c", "wp_answer"),
        ("csrc/cpython/environ.c", "wp_environ_make"),
        ("csrc/cpython/start_response.c", "wp_start_response"),
        ("csrc/cpython/response_head.c", "wp_block_fill"),
    ),
}
#: About 1 % of the 13,000 instructions of such a request (CPython 3.11).
TURNS, STATEMENTS = 21, 4
IN_C = """\
    for (volatile int planted = 0; planted < %d; planted++)
        ;
"""
APPLICATION = """
BODY = b"x" * 40


def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "40")])
    return [BODY]
"""


def git(root: Path, *arguments: str) -> None:
    who = ("-c", "user.name=trial", "-c", "user.email=trial@example.org")
    subprocess.run(["git", "-C", str(root), *who, *arguments], check=True)


class Trials:
    def __init__(self, folder: Path) -> None:
        self._clone = folder / "clone"
        self._other = folder / "application"
        folder.mkdir(parents=True, exist_ok=True)
        if not self._clone.exists():
            source = ["git", "clone", "-q", str(ROOT), str(self._clone)]
            subprocess.run(source, check=True)
        if not self._other.exists():
            self._other.mkdir()
            (self._other / "trial_app.py").write_text(APPLICATION)
            git(self._other, "init", "-q")
            git(self._other, "add", "-A")
            git(self._other, "commit", "-qm", "an application")

    def run(self, kind: str, number: int) -> dict[str, Any]:
        for one in (self._clone, self._other):
            git(one, "checkout", "-q", "--", ".")
        outside = kind == "application" and number % 2 == 1
        root = self._other if outside else self._clone
        where = self._plant(kind, number, root)
        command = [sys.executable, "-m", "wsgibench", "gate"]
        command += ["--repository", str(root), "--base", "HEAD"]
        command += ["--only", "counted"]
        if outside:
            command += ["--app", "trial_app:application"]
        begun = time.monotonic()
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=root if outside else None,
        )
        return {
            "kind": kind,
            "number": number,
            "where": where,
            "seconds": round(time.monotonic() - begun, 1),
            "code": done.returncode,
            "load": os.getloadavg()[0],
            "said": re.findall(r"instructions .*", done.stdout)
            or done.stderr.splitlines()[-1:],
        }

    def _plant(self, kind: str, number: int, root: Path) -> str:
        if kind == "pairs":
            return ""
        if kind == "application":
            name = "trial_app.py" if root == self._other else HELLO
            path, function = root / name, "application"
            planted = "    planted = environ\n" * STATEMENTS
            pattern = r"^def application\(.*\):\n"
        else:
            sites = SITES[kind]
            name, function = sites[number % len(sites)]
            path = root / name
            planted = IN_C % TURNS
            pattern = r"^%s\([^{;]*\)\n\{\n" % function
        text = path.read_text()
        found = re.search(pattern, text, re.MULTILINE)
        if found is None:
            raise SystemExit("%s has no %s any more." % (name, function))
        # Each time other code: what was built before is of no use.
        remark = "# %d\n" if path.suffix == ".py" else "/* %d */\n"
        end = found.end()
        changed = text[:end] + planted + text[end:] + remark % number
        path.write_text(changed)
        return "%s:%s" % (name, function)


def read(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def is_right(one: dict[str, Any]) -> bool:
    """Counted, and found where there is something."""
    counted = any(said.startswith("instructions") for said in one["said"])
    return counted and one["code"] == (one["kind"] != "pairs")


def table(found: list[dict[str, Any]]) -> str:
    lines = ["what         trials  as it must be  seconds: median  most"]
    for kind in KINDS:
        those = [one for one in found if one["kind"] == kind]
        if not those:
            continue
        right = sum(map(is_right, those))
        times = sorted(one["seconds"] for one in those)
        lines.append(
            "%-11s %7d %14d %16.0f %5.0f"
            % (kind, len(those), right, times[len(times) // 2], times[-1])
        )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("-o", "--output", type=Path, default=Path("gate-trials.jsonl"))
    add("--of", default=",".join(KINDS), help="kinds, comma-separated")
    add("--times", type=int, default=20, help="each (%(default)s)")
    add("--neighbours", type=int, default=2, help="busy loops (%(default)s)")
    add("--folder", type=Path, help="for the clone (beside the output)")
    add("--table", action="store_true", help="print what there is")
    asked = parser.parse_args()
    found = read(asked.output)
    kinds = asked.of.split(",")
    if not asked.table:
        folder = asked.folder or asked.output.with_suffix(".d")
        trials = Trials(folder.resolve())
        done = {(one["kind"], one["number"]) for one in found}
        with busy(asked.neighbours):
            for number in range(asked.times):
                for kind in kinds:
                    if (kind, number) in done:
                        continue
                    one = trials.run(kind, number)
                    found.append(one)
                    with open(asked.output, "a") as file:
                        file.write(json.dumps(one) + "\n")
                    print(json.dumps(one), flush=True)
    print(table(found))
    wrong = any(not is_right(one) or one["seconds"] > SECONDS for one in found)
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())

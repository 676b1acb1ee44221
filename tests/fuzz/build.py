"""Compiling a fuzz target, and running it."""

from __future__ import annotations

import re
import resource
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz import seeds

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "csrc" / "fuzz"
TARGETS = sorted(path.stem for path in FOLDER.glob("fuzz_*.c"))
SANITIZE = [
    "-O1",
    "-fsanitize=fuzzer,address,undefined",
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
]


class Unbuildable(Exception):
    """One sentence that says what is missing."""


@dataclass(frozen=True)
class Outcome:
    target: str
    failed: bool
    summary: str
    log: Path


def compile_target(target: str, directory: Path) -> Path:
    sys.path.insert(0, str(ROOT))
    import setup_native

    if shutil.which("clang") is None:
        raise Unbuildable("the fuzzers need clang: apt-get install clang")
    try:
        flags = setup_native.flags()
    except SystemExit as missing:
        raise Unbuildable(str(missing)) from None
    directory.mkdir(parents=True, exist_ok=True)
    binary = directory / target
    command = [
        "clang",
        *flags.compile,
        *SANITIZE,
        "-DWB_TESTING",
        "-I" + str(ROOT / "csrc" / "load"),
        str(FOLDER / (target + ".c")),
        *setup_native.sources(*setup_native.PLAIN),
        "-o",
        str(binary),
        *flags.link,
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        raise Unbuildable(done.stderr[-3000:])
    return binary


def run(
    target: str,
    binary: Path,
    directory: Path,
    cpu_seconds: int = 0,
    runs: int = -1,
) -> Outcome:
    """Until it has had its processor time, or its runs; from the seeds and
    what `directory` holds of earlier ones."""
    found = directory / "corpus" / target
    start = directory / "seeds" / target
    found.mkdir(parents=True, exist_ok=True)
    seeds.write(target, start)
    log = directory / (target + ".log")
    command = [
        str(binary),
        "-runs=%d" % runs,
        "-print_final_stats=1",
        "-timeout=20",
        "-rss_limit_mb=3000",
        "-dict=" + str(FOLDER / "http.dict"),
        "-artifact_prefix=%s/%s-" % (directory, target),
        str(found),
        str(start),
    ]

    def limit() -> None:
        # The processor's time, not the clock's: the machine may be busy.
        # SIGXCPU at the soft limit ends the run; it is no finding.
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds,) * 2)

    with log.open("w") as out:
        done = subprocess.run(
            command,
            stdout=out,
            stderr=subprocess.STDOUT,
            preexec_fn=limit if cpu_seconds else None,
        )
    text = log.read_text(errors="replace")
    findings = re.findall(
        r"^(?:SUMMARY: .*|.* does not hold|.*runtime error: .*)$", text, re.M
    )
    findings = [line for line in findings if "limit" not in line]
    artifact = re.search(r"Test unit written to (.*)", text)
    failed = artifact is not None or (done.returncode != 0 and not cpu_seconds)
    executed = re.findall(r"^#(\d+)\s.* cov: (\d+)", text, re.M)
    count, covered = executed[-1] if executed else ("0", "0")
    summary = "%s runs, coverage %s" % (count, covered)
    if failed:
        where = artifact.group(1) if artifact else str(log)
        summary = "%s: %s" % (findings[0] if findings else "failed", where)
    return Outcome(target, failed, summary, log)

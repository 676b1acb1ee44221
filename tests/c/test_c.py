"""The C tests: each test_*.c is a program, built plain and with sanitizers,
and over each framing parser that is installed."""

from __future__ import annotations

import fcntl
import functools
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PROGRAMS = sorted(path.stem for path in HERE.glob("test_*.c"))

sys.path.insert(0, str(ROOT))
setup_native = pytest.importorskip("setup_native")

SANITIZE = ["-O1", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]
BUILDS = {
    "plain": ["-O2"],
    "sanitized": [*SANITIZE, "-fsanitize=address,undefined"],
    "threads": [*SANITIZE, "-fsanitize=thread"],
}
WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Werror"]


def run(command: list[str], cwd: Path = ROOT) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


class Builds:
    """The core and the generator, compiled once for each kind of build, by
    the first of xdist's processes that wants it."""

    def __init__(self, shared: Path, own: Path) -> None:
        self._shared = shared
        self._own = own

    def _make(self, command: list[str], place: Path) -> None:
        def compiled(index: int, source: str) -> None:
            # By number: two folders have a conn.c.
            run([*command, "-c", source, "-o", str(place / ("%d.o" % index))])

        sources = setup_native.sources(*setup_native.PLAIN)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(compiled, range(len(sources)), sources))
        (place / "complete").touch()

    def link(self, program: str, parser: str, kind: str) -> Path:
        flags = flags_of(parser)
        command = [
            *setup_native.compiler(),
            *flags.compile,
            *BUILDS[kind],
            "-DWB_TESTING",
            "-I" + str(ROOT / "csrc" / "load"),
        ]
        place = self._shared / ("%s-%s" % (parser, kind))
        place.mkdir(parents=True, exist_ok=True)
        with open(place / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (place / "complete").exists():
                self._make(command, place)
        objects = sorted(str(path) for path in place.glob("*.o"))
        out = self._own / ("%s-%s-%s" % (program, parser, kind))
        sources = [str(HERE / (program + ".c")), str(HERE / "wire.c")]
        command += [*WARNINGS, *sources, "-o", str(out)]
        run([*command, *objects, *flags.link])
        return out


@pytest.fixture
def builds(of_all_workers: Path, tmp_path: Path) -> Builds:
    return Builds(of_all_workers / "c", tmp_path)


@functools.cache
def probed(parser: str) -> Any:
    """The flags for a parser that $WSGIBENCH_PARSER names already, or why
    there are none."""
    try:
        return setup_native.flags()
    except SystemExit as missing:
        return str(missing).strip().splitlines()[0]


def flags_of(parser: str) -> Any:
    found = probed(parser)
    if isinstance(found, str):
        pytest.skip(found)
    return found


@pytest.fixture(params=["http_parser", "llhttp"])
def parser(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> str:
    monkeypatch.setenv("WSGIBENCH_PARSER", request.param)
    monkeypatch.delenv("WSGIBENCH_SANITIZE", raising=False)
    return str(request.param)


@pytest.mark.timeout(300)  # compiling is slow with sanitizers
@pytest.mark.parametrize("kind", BUILDS)
@pytest.mark.parametrize("program", PROGRAMS)
def test_program(program: str, parser: str, kind: str, builds: Builds) -> None:
    threads = program.startswith("test_threads")
    if (kind == "threads") != threads and kind != "plain":
        pytest.skip("its races and its memory are looked at by one tool each")
    if parser == "llhttp" and program == "test_histogram":
        pytest.skip("reads no request")
    binary = builds.link(program, parser, kind)
    environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=1")
    environment.pop("LD_PRELOAD", None)
    done = subprocess.run(
        [str(binary)],
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=110,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "ok - " in done.stdout

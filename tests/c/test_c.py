"""The C tests: each test_*.c is a program, built plain and with sanitizers,
and over each framing parser that is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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
    """The core and the generator, compiled once for each kind of build."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._made: dict[tuple[str, str], tuple[list[str], list[str]]] = {}

    def _make(self, parser: str, kind: str) -> tuple[list[str], list[str]]:
        try:
            flags = setup_native.flags()
        except SystemExit as missing:
            pytest.skip(str(missing).strip().splitlines()[0])
        compiler = [
            *setup_native.compiler(),
            *flags.compile,
            *BUILDS[kind],
            "-DWB_TESTING",
            "-I" + str(ROOT / "csrc" / "load"),
        ]
        place = self._directory / ("%s-%s" % (parser, kind))
        place.mkdir()
        sources = setup_native.sources(*setup_native.PLAIN)
        for index, source in enumerate(sources):  # two rooms have a conn.c
            name = str(place / ("%d.o" % index))
            run([*compiler, "-c", source, "-o", name])
        objects = sorted(str(path) for path in place.glob("*.o"))
        return compiler, [*objects, *flags.link]

    def link(self, program: str, parser: str, kind: str) -> Path:
        key = (parser, kind)
        if key not in self._made:
            self._made[key] = self._make(parser, kind)
        compiler, rest = self._made[key]
        out = self._directory / ("%s-%s-%s" % (program, parser, kind))
        sources = [str(HERE / (program + ".c")), str(HERE / "wire.c")]
        run([*compiler, *WARNINGS, *sources, "-o", str(out), *rest])
        return out


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Builds:
    return Builds(tmp_path_factory.mktemp("c"))


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

"""The C tests: each test_*.c is a program, built with and without the
sanitizers."""

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

BUILDS = {
    "plain": ["-O2"],
    "sanitized": [
        "-O1",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
        "-fno-omit-frame-pointer",
    ],
}


def build(program: str, options: list[str], out: Path) -> Path:
    flags = setup_native.flags()
    command = [
        *setup_native.compiler(),
        *flags.compile,
        *options,
        "-DWB_TESTING",
        "-I" + str(ROOT / "csrc" / "core"),
        "-I" + str(ROOT / "csrc" / "load"),
        str(HERE / (program + ".c")),
        str(HERE / "wire.c"),
        *setup_native.sources("core", "load"),
        "-o",
        str(out),
        *flags.link,
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return out


@pytest.mark.parametrize("kind", BUILDS)
@pytest.mark.parametrize("program", PROGRAMS)
def test_program(program: str, kind: str, tmp_path: Path) -> None:
    binary = build(program, BUILDS[kind], tmp_path / program)
    environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=1")
    done = subprocess.run(
        [str(binary)],
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=110,
    )
    assert done.returncode == 0, done.stderr[-3000:]

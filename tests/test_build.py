"""Installing: what setup.py says, with and without the C libraries."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def setup(
    *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "setup.py", "-q", *arguments],
        cwd=ROOT,
        env=dict(os.environ, **environment),
        capture_output=True,
        text=True,
    )


def test_missing_libraries_are_told_once(tmp_path: Path) -> None:
    """A compiler that finds nothing stands for a machine without them."""
    compiler = tmp_path / "cc"
    compiler.write_text("#!/bin/sh\necho 'fatal error: uv.h not found'\nexit 1")
    compiler.chmod(0o755)
    done = setup(
        "build_ext",
        "--build-lib",
        str(tmp_path / "lib"),
        "--build-temp",
        str(tmp_path / "temp"),
        CC=str(compiler),
        PKG_CONFIG_PATH="/nowhere",
        PKG_CONFIG_LIBDIR="/nowhere",
    )
    assert done.returncode != 0
    for word in (
        "libuv was not found",
        "apt-get install libuv1-dev libhttp-parser-dev",
        "dnf install",
        "apk add",
        "brew install",
        "WSGIBENCH_DEPS_PREFIX",
        "WSGIBENCH_NATIVE=none",
    ):
        assert word in done.stderr, done.stderr[-2000:]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [("WSGIBENCH_NATIVE", "perhaps"), ("WSGIBENCH_PARSER", "nginx")],
)
def test_wrong_switches_are_told(name: str, value: str) -> None:
    done = setup("build_ext", "--dry-run", **{name: value})
    assert done.returncode != 0
    assert value in done.stderr
    assert "Traceback" not in done.stderr


def test_without_the_server(tmp_path: Path) -> None:
    """The harness works, and says of c-uv why it is not there."""
    library = tmp_path / "lib"
    done = setup(
        "build", "--build-base", str(tmp_path / "base"),
        "--build-lib", str(library), WSGIBENCH_NATIVE="none",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert not list(library.rglob("*.so"))
    done = subprocess.run(
        [sys.executable, "-c", LIST],
        cwd=tmp_path,
        env=dict(os.environ, PYTHONPATH=str(library)),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "not built: " in done.stdout


LIST = """
from wsgibench import native
from wsgibench.errors import WsgibenchError
try:
    native.binding()
except WsgibenchError as error:
    print("not built: %s" % error)
"""


def test_a_source_distribution_can_be_built_from(tmp_path: Path) -> None:
    done = setup("sdist", "--dist-dir", str(tmp_path))
    assert done.returncode == 0, done.stderr[-2000:]
    (archive,) = tmp_path.glob("wsgibench-*.tar.gz")
    with tarfile.open(archive) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    needed = {"setup.py", "setup_native.py", "pyproject.toml", "LICENSE"}
    for folder in ("csrc", "python"):
        for pattern in ("*.c", "*.h", "*.py", "*.pyi"):
            needed |= {
                str(path.relative_to(ROOT))
                for path in (ROOT / folder).rglob(pattern)
            }
    generated = {"csrc/cffi/_cffi.c"}
    assert needed - names - generated == set()

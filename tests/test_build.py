"""Installing: what the build says, with and without the C libraries.

Everything happens in a copy of the tree: setuptools leaves its traces where
it works, and other tests use this one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("csrc", "python", "benchmarks/suites", "benchmarks/pins")
FILES = (
    "LICENSE",
    "MANIFEST.in",
    "README.md",
    "THIRD_PARTY.md",
    "pyproject.toml",
    "setup.py",
    "setup_native.py",
)
BUILT = shutil.ignore_patterns(
    *("*.so", "*.egg-info", "__pycache__", "*.pyc", "_cffi.c"),
    *("config_fields.h", "load_fields.h"),
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The sources, as in a clean clone."""
    copy = tmp_path / "tree"
    for name in FOLDERS:
        shutil.copytree(ROOT / name, copy / name, ignore=BUILT)
    for name in FILES:
        shutil.copy(ROOT / name, copy / name)
    return copy


def python(
    where: Path, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    outer = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("WSGIBENCH_", "PYTEST_"))
    }
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=where,
        env={**outer, **environment},
        capture_output=True,
        text=True,
    )


def setup(
    where: Path, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    return python(where, "setup.py", "-q", *arguments, **environment)


def no_compiler(tmp_path: Path) -> dict[str, str]:
    """One that finds no library's header stands for a machine without the
    libraries."""
    compiler = tmp_path / "cc"
    compiler.write_text(
        "#!/bin/sh\n"
        "if grep -qs '<' \"$1\"; then\n"
        "    echo 'fatal error: no header'\n"
        "    exit 1\n"
        "fi\n"
        'exec cc "$@"\n'
    )
    compiler.chmod(0o755)
    return {"CC": str(compiler), "PKG_CONFIG_LIBDIR": "/nowhere"}


def test_missing_libraries_are_told_once(tree: Path, tmp_path: Path) -> None:
    done = setup(tree, "build_ext", **no_compiler(tmp_path))
    assert done.returncode == 1
    for words in (
        "libuv was not found",
        "fatal error: no header",
        "apt-get install libuv1-dev libhttp-parser-dev",
        "dnf install",
        "apk add",
        "brew install",
        "WSGIBENCH_DEPS_PREFIX",
        "WSGIBENCH_NATIVE=none",
    ):
        assert done.stderr.count(words) == 1, (words, done.stderr[-2000:])
    assert "Traceback" not in done.stderr


def test_a_missing_compiler_is_named(tree: Path) -> None:
    done = setup(tree, "build_ext", CC="/nowhere/cc")
    assert done.returncode == 1
    assert "the C compiler '/nowhere/cc' does not work" in done.stderr
    assert "apt-get install gcc libc6-dev" in done.stderr
    assert "libuv" not in done.stderr
    assert "Traceback" not in done.stderr


def test_missing_headers_of_python_are_named(
    tree: Path, tmp_path: Path
) -> None:
    compiler = tmp_path / "cc"
    compiler.write_text(
        "#!/bin/sh\n"
        'if grep -qs Python.h "$1"; then\n'
        "    echo 'fatal error: Python.h: No such file or directory'\n"
        "    exit 1\n"
        "fi\n"
        'exec cc "$@"\n'
    )
    compiler.chmod(0o755)
    done = setup(tree, "build_ext", CC=str(compiler))
    assert done.returncode == 1
    assert "Python.h of %s was not found" % sys.executable in done.stderr
    assert "-dev" in done.stderr
    assert "Traceback" not in done.stderr


def quick_compiler(where: Path) -> dict[str, str]:
    """One that takes no time to optimize; of CFLAGS the build's own -O2 would
    be the last."""
    compiler = where / "quick-cc"
    compiler.write_text('#!/bin/sh\nexec cc "$@" -O0 -g0 -fno-lto\n')
    compiler.chmod(0o755)
    return {"CC": str(compiler)}


def has_tls(tree: Path, **environment: str) -> bool:
    environment = {**quick_compiler(tree), **environment}
    done = setup(tree, "build_ext", "--inplace", **environment)
    assert done.returncode == 0, done.stderr[-2000:]
    (built,) = (tree / "python/wsgibench/native").glob("_c*.so")
    return b"SSL_CTX_new" in built.read_bytes()


def fingerprint(tree: Path) -> str:
    """By which ./bench and ./check know an environment that is there."""
    done = subprocess.run(
        ["sh", "-c", ". scripts/bootstrap.sh; fingerprint python3"],
        cwd=tree,
        env={**os.environ, "root": str(tree)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.timeout(600)  # it compiles everything twice
def test_a_switch_counts_where_something_is_built_already(tree: Path) -> None:
    shutil.copytree(ROOT / "scripts", tree / "scripts")
    sources = fingerprint(tree)
    assert not has_tls(tree, WSGIBENCH_NO_TLS="1")
    assert has_tls(tree)
    # What the build wrote makes no environment anew; what we write does.
    assert fingerprint(tree) == sources
    with (tree / "csrc/core/http/lines.h").open("a") as file:
        file.write("\n")
    assert fingerprint(tree) != sources


def test_a_prefix_comes_first(tree: Path, tmp_path: Path) -> None:
    environment = no_compiler(tmp_path)
    environment["WSGIBENCH_DEPS_PREFIX"] = "/opt/of-the-user"
    done = setup(tree, "build_ext", **environment)
    assert done.returncode == 1
    tried = done.stderr.partition("Tried:")[2].splitlines()
    assert "prefix /opt/of-the-user" in tried[1]


@pytest.mark.parametrize(
    ("name", "value"),
    [("WSGIBENCH_NATIVE", "perhaps"), ("WSGIBENCH_PARSER", "nginx")],
)
def test_wrong_switches_are_told(tree: Path, name: str, value: str) -> None:
    done = setup(tree, "build_ext", **{name: value})
    assert done.returncode == 1
    assert value in done.stderr
    assert "Traceback" not in done.stderr


def build(tree: Path, to: Path, **environment: str) -> Path:
    """A folder for PYTHONPATH."""
    done = setup(
        tree,
        "build",
        "--build-base",
        str(to / "base"),
        "--build-lib",
        str(to / "lib"),
        **environment,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return to / "lib"


def test_without_the_server(tree: Path, tmp_path: Path) -> None:
    """The harness works, and says of c-uv why it is not there."""
    library = build(
        tree, tmp_path, WSGIBENCH_NATIVE="none", **no_compiler(tmp_path)
    )
    assert not list(library.rglob("*.so"))
    path = {"PYTHONPATH": str(library)}
    done = python(tmp_path, "-m", "wsgibench", "list", "--all", **path)
    assert done.returncode == 0, done.stderr[-2000:]
    reasons = [
        line.split(None, 1)[1]
        for line in done.stdout.splitlines()
        if line.split()[:1] == ["c-uv"] and "not built: " in line
    ]
    assert len(reasons) == 1, done.stdout
    assert "capi: " in reasons[0]
    assert "reinstall wsgibench" in reasons[0]

    done = python(tmp_path, "-m", "wsgibench", "serve", "os:abort", **path)
    assert done.returncode == 1
    assert done.stderr.startswith("wsgibench: the server is not built for ")
    assert done.stderr.count("\n") == 1


def unpacked_sdist(tree: Path, tmp_path: Path) -> Path:
    done = setup(tree, "sdist", "--dist-dir", str(tmp_path / "dist"))
    assert done.returncode == 0, done.stderr[-2000:]
    (archive,) = (tmp_path / "dist").glob("wsgibench-*.tar.gz")
    with tarfile.open(archive) as tar:
        if hasattr(tarfile, "data_filter"):
            tar.extractall(tmp_path, filter="data")
        else:
            tar.extractall(tmp_path)
    return tmp_path / archive.name[: -len(".tar.gz")]


SERVE = """
import urllib.request
import wsgibench

def app(environ, start_response):
    start_response("200 OK", [])
    return [b"built"]

with wsgibench.Server(app, port=0) as server:
    with urllib.request.urlopen(server.url, timeout=60) as answer:
        print(answer.read().decode(), wsgibench.__file__)
"""


@pytest.mark.timeout(900)  # it compiles everything
def test_a_source_distribution_builds_and_serves(
    tree: Path, tmp_path: Path
) -> None:
    source = unpacked_sdist(tree, tmp_path)
    for folder in FOLDERS:
        missing = {
            path.relative_to(tree)
            for path in (tree / folder).rglob("*")
            if path.is_file()
            and ".egg-info" not in str(path)
            and not path.name.endswith("_fields.h")  # the build makes them
        } - {path.relative_to(source) for path in source.rglob("*")}
        assert not missing
    # A file that was renamed since, and the other binding, of a build before.
    left = tmp_path / "built" / "lib" / "wsgibench" / "native"
    left.mkdir(parents=True)
    (left / "renamed.py").touch()
    (left / "_cffi.abi3.so").touch()
    library = build(source, tmp_path / "built", **quick_compiler(tmp_path))
    assert not (left / "renamed.py").exists()
    assert not (left / "_cffi.abi3.so").exists()
    done = python(tmp_path, "-c", SERVE, PYTHONPATH=str(library))
    assert done.stdout.split() == [
        "built",
        str(library / "wsgibench" / "__init__.py"),
    ], done.stderr[-2000:]
    # What is installed has all that the package needs to run, the suites ...
    for path in (tree / "python").rglob("*"):
        if path.suffix in (".py", ".pyi", ".js", ".typed"):
            assert (library / path.relative_to(tree / "python")).exists(), path
    where = {"PYTHONPATH": str(library)}
    done = python(tmp_path, "-m", "wsgibench", "list", "--json", **where)
    assert len(json.loads(done.stdout)["suites"]) == 5

"""Two versions of a source tree, side by side: one from git, one as it lies
there. Each is copied into the cache, so that building it leaves no trace in
the tree and the same version is built once.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wsgibench import cache
from wsgibench.errors import UsageError
from wsgibench.harness import install
from wsgibench.harness.environments import Environment
from wsgibench.harness.interpreters import Interpreter

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Version:
    label: str
    key: str  # of its content
    tree: Path

    @property
    def is_ours(self) -> bool:
        """A tree of wsgibench itself, which has to be built."""
        return _target_folder(self.tree).is_dir()

    @property
    def target(self) -> Path:
        """What runs in the server's process, of this version."""
        return _target_folder(self.tree) / "child.py"


def _target_folder(tree: Path) -> Path:
    """Of a tree of wsgibench; in 0.2.0 the folder is called guest."""
    package = tree / "python" / "wsgibench"
    older = package / "guest"
    return older if older.is_dir() else package / "target"


def _git(root: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )
    except FileNotFoundError as error:
        raise UsageError("git is not on the PATH.") from error
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        raise UsageError("git: %s." % (words or ["no message"])[0].rstrip("."))
    return done.stdout


def root_of(folder: Path) -> Path:
    """The checkout that a folder belongs to."""
    found = _git(folder, "rev-parse", "--show-toplevel")
    return Path(os.fsdecode(found.rstrip(b"\n")))


@contextmanager
def _making(key: str) -> Iterator[tuple[Path, Path | None]]:
    """(its folder, where to put it together or None if it is there)."""
    folder = cache.directory() / "versions" / key
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(str(folder) + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.is_dir():
            os.utime(folder)  # in use: not among the oldest
            yield folder, None
            return
        with tempfile.TemporaryDirectory(dir=folder.parent) as name:
            made = Path(name) / "tree"
            made.mkdir()
            yield folder, made
            made.rename(folder)


def of_revision(root: Path, revision: str) -> Version:
    """A commit, branch or tag."""
    wanted = revision + "^{commit}"
    try:
        commit = _git(
            root, "rev-parse", "--verify", "--end-of-options", wanted
        )
    except UsageError as error:
        raise UsageError(_unknown(root, revision)) from error
    name = commit.decode().strip()
    tree = _git(root, "rev-parse", name + "^{tree}").decode().strip()
    with _making("tree-" + tree[:16]) as (folder, made):
        if made is not None:
            with tempfile.TemporaryFile() as file:
                file.write(_git(root, "archive", "--format=tar", name))
                file.seek(0)
                with tarfile.open(fileobj=file) as archive:
                    _extract(archive, made)
    return Version("%s (%s)" % (revision, name[:10]), tree[:16], folder)


def _unknown(root: Path, revision: str) -> str:
    text = "git: %s has no commit, branch or tag %r" % (root, revision)
    if _git(root, "rev-parse", "--is-shallow-repository").strip() == b"true":
        text += "; it is a shallow clone: git fetch --unshallow"
    return text + "."


def _extract(archive: tarfile.TarFile, folder: Path) -> None:
    if hasattr(tarfile, "data_filter"):
        archive.extractall(folder, filter="data")
    else:
        archive.extractall(folder)


def of_working_tree(root: Path) -> Version:
    """As it lies there, with what is not committed and without what git
    ignores."""
    listed = _git(
        root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"
    )
    names = sorted(set(filter(None, listed.split(b"\0"))))
    digest = hashlib.sha256()
    paths = []
    for raw in names:
        path = root / os.fsdecode(raw)
        if path.is_file():
            paths.append(path)
            digest.update(raw + b"\0" + path.read_bytes())
    key = digest.hexdigest()[:16]
    with _making("tree-" + key) as (folder, made):
        if made is not None:
            for path in paths:
                copy = made / path.relative_to(root)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, copy)
    return Version("working tree", key, folder)


#: Files in csrc that a build makes.
MADE = ("_cffi.c", "config_fields.h", "load_fields.h")
#: What else decides what comes out of the compiler.
SWITCHES = ("CC", "CFLAGS", "LDFLAGS")


def _native(tree: Path) -> list[Path]:
    """What the extensions are built from."""
    found = [tree / "setup.py", tree / "setup_native.py"]
    found.append(tree / "pyproject.toml")
    found += sorted(
        path
        for path in tree.glob("csrc/**/*")
        if path.suffix in (".c", ".h", ".py") and path.name not in MADE
    )
    return [path for path in found if path.is_file()]


def _key(interpreter: Interpreter, tree: Path) -> str:
    digest = hashlib.sha256()
    for text in (interpreter.path, interpreter.version):
        digest.update(text.encode() + b"\0")
    for name, value in sorted(os.environ.items()):
        if name in SWITCHES or name.startswith("WSGIBENCH_"):
            digest.update(("%s=%s\0" % (name, value)).encode())
    for path in _native(tree):
        digest.update(str(path.relative_to(tree)).encode() + b"\0")
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def environment(
    version: Version, interpreter: Interpreter, tell: Tell
) -> Environment:
    """This version of wsgibench as an environment: its own Python files, and
    extensions that are built once for all versions with the same C. (pip
    would make an environment for each, which takes longer than to compile
    one.)"""
    python = _build_tools(version.tree, interpreter, tell)
    key = _key(interpreter, version.tree)
    what = "%s for %s" % (version.label, interpreter.label)
    with _making("native-" + key) as (folder, made):
        if made is not None:
            tell("building " + what)
            log = Path(str(folder) + ".log")
            log.unlink(missing_ok=True)
            install.build(python, version.tree, made, log, what)
            shutil.rmtree(made / "temp", ignore_errors=True)
    for path in (folder / "lib").rglob("*.so"):
        _copy(path, version.tree / "python" / path.relative_to(folder / "lib"))
    _compile(python, version.tree)
    return Environment(
        str(python),
        {"wsgibench": _number(version.tree)},
        (str(version.tree / "python"),),
    )


def _number(tree: Path) -> str:
    """Of the version: the package says it (its pyproject.toml may not)."""
    text = (tree / "python" / "wsgibench" / "__init__.py").read_text()
    found = re.search(r"""^__version__ = ["']([^"']+)""", text, re.MULTILINE)
    return found.group(1) if found else ""


def _copy(path: Path, target: Path) -> None:
    """In one step: another gate may use the same version."""
    if target.exists() and target.read_bytes() == path.read_bytes():
        return
    part = target.with_name("%s.%d" % (target.name, os.getpid()))
    shutil.copy2(path, part)
    part.rename(target)


def _compile(python: Path, tree: Path) -> None:
    """Its Python files, before anything is counted: a process that compiles
    them itself has another heap, and another heap has other collisions in
    the interpreter's caches."""
    package = tree / "python" / "wsgibench"
    target = _target_folder(tree)
    folders = (package, package / "native", target, *target.glob("*/"))
    subprocess.run(
        [str(python), "-m", "compileall", "-q", "-l", *map(str, folders)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )


def _project(tree: Path) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(
        (tree / "pyproject.toml").read_text()
    )
    return found


def _build_tools(tree: Path, interpreter: Interpreter, tell: Tell) -> Path:
    """The Python of an environment that has what its build needs, and that
    runs it, too: c-uv needs no packages."""
    requires = _project(tree)["build-system"]["requires"]
    digest = hashlib.sha256()
    for text in (interpreter.path, interpreter.version, *requires):
        digest.update(text.encode() + b"\0")
    name = "tools-" + digest.hexdigest()[:16]
    what = "what builds wsgibench on " + interpreter.label
    # An environment cannot be moved: it is whole once it has this file.
    folder = cache.directory() / "versions" / name
    whole = folder / "whole"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(str(folder) + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not whole.exists():
            shutil.rmtree(folder, ignore_errors=True)
            tell("installing " + what)
            log = Path(str(folder) + ".log")
            install.environment(interpreter, folder, log, system=False)
            python = folder / "bin" / "python"
            install.packages(python, requires, log, what, [])
            whole.touch()
        whole.touch()
    return folder / "bin" / "python"


def remove_old(keep: int = 60) -> None:
    """The oldest copies and builds; a gate that runs for each commit must
    not fill the disk."""
    folder = cache.directory() / "versions"
    found = [path for path in folder.glob("*") if path.is_dir()]
    found = [path for path in found if not path.name.startswith("tools-")]
    found.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for path in found[keep:]:
        shutil.rmtree(path, ignore_errors=True)
        Path(str(path) + ".log").unlink(missing_ok=True)

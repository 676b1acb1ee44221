"""Two versions of a source tree, side by side: one from git, one as it lies
there. Each is copied into the cache, so that building it leaves no trace in
the tree and the same version is built once.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wsgibench.errors import UsageError
from wsgibench.harness import install
from wsgibench.harness.environments import Environment, cache_directory
from wsgibench.harness.interpreters import Interpreter

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Version:
    label: str
    key: str  # of its content
    tree: Path

    @property
    def is_ours(self) -> bool:
        """A tree of wsgibench itself, which has to be built."""
        return (self.tree / "python" / "wsgibench" / "guest").is_dir()

    @property
    def guest(self) -> Path:
        """What runs in the server's process, of this version."""
        return self.tree / "python" / "wsgibench" / "guest" / "child.py"


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
    folder = cache_directory() / "versions" / key
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(str(folder) + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.is_dir():
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
    commit = _git(root, "rev-parse", "--verify", "--end-of-options", wanted)
    name = commit.decode().strip()
    tree = _git(root, "rev-parse", name + "^{tree}").decode().strip()
    with _making("git-" + tree[:16]) as (folder, made):
        if made is not None:
            with tempfile.TemporaryFile() as file:
                file.write(_git(root, "archive", "--format=tar", name))
                file.seek(0)
                with tarfile.open(fileobj=file) as archive:
                    _extract(archive, made)
    return Version("%s (%s)" % (revision, name[:10]), tree[:16], folder)


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


def environment(
    version: Version, interpreter: Interpreter, tell: Tell
) -> Environment:
    """An environment with this version of wsgibench, built as a user gets
    it; made once."""
    digest = hashlib.sha256(
        ("%s %s" % (interpreter.path, interpreter.version)).encode()
    )
    name = "%s-%s" % (version.tree.name, digest.hexdigest()[:8])
    folder = cache_directory() / "built" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    python = folder / "bin" / "python"
    manifest = folder / "wsgibench-built.json"
    what = "%s for %s" % (version.label, interpreter.label)
    with open(str(folder) + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not manifest.exists():
            shutil.rmtree(folder, ignore_errors=True)
            tell("building " + what)
            log = Path(str(folder) + ".log")
            install.environment(interpreter, folder, log, system=False)
            install.packages(python, [str(version.tree)], log, what, [])
            manifest.write_text(json.dumps(install.versions(python)))
        versions: dict[str, str] = json.loads(manifest.read_text())
    return Environment(str(python), versions)


def remove_old(keep: int = 40) -> None:
    """The oldest copies and builds; a gate that runs for each commit must
    not fill the disk."""
    for kind in ("versions", "built"):
        folder = cache_directory() / kind
        found = [path for path in folder.glob("*") if path.is_dir()]
        found.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for path in found[keep:]:
            shutil.rmtree(path, ignore_errors=True)

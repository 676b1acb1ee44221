"""What this package was built from, for what stands outside of it: the suites,
the pinned versions, and c-uv for other interpreters."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

from wsgibench import plugins

#: The copy that setup.py puts into an installed package.
COPY = plugins.PACKAGE / "_source"


def tree() -> Path:
    """The checkout that the package runs from, or else the copy."""
    checkout = plugins.PACKAGE.parent.parent
    return checkout if (checkout / "setup.py").exists() else COPY


def commit() -> str:
    """Of the checkout that this runs from, with a + if it was changed since;
    "" outside of one."""
    if tree() == COPY:
        return ""
    found = []
    for command in (["rev-parse", "--short=12", "HEAD"], ["status", "-s"]):
        try:
            done = subprocess.run(
                ["git", "-C", str(tree()), *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        except OSError:
            return ""
        if done.returncode:
            return ""
        found.append(done.stdout.strip())
    return found[0] + ("+" if found[1] else "")


def files(root: Path) -> list[Path]:
    """All that c-uv is built from."""
    found = [root / "setup.py", root / "setup_native.py"]
    found += [root / "pyproject.toml"]
    found += sorted((root / "csrc").rglob("*.[ch]"))
    found += sorted((root / "csrc").rglob("*.py"))
    found += sorted(plugins.PACKAGE.glob("*.py"))
    found += sorted((plugins.PACKAGE / "native").glob("*.py"))
    return found


def installable(cache: Path) -> Path:
    """tree() in a form that pip installs. The copy is completed by the
    package itself, in a folder where a build may write."""
    root = tree()
    if root != COPY:
        return root
    digest = hashlib.sha256()
    for path in files(root):
        digest.update(path.read_bytes())
    whole = cache / "source" / digest.hexdigest()[:12]
    whole.parent.mkdir(parents=True, exist_ok=True)
    with open(str(whole) + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not whole.exists():
            making = whole.with_suffix(".making")
            shutil.rmtree(making, ignore_errors=True)
            shutil.copytree(root, making)
            shutil.copytree(
                plugins.PACKAGE,
                making / "python" / "wsgibench",
                ignore=shutil.ignore_patterns(
                    "_source", "*.so", "__pycache__"
                ),
            )
            making.rename(whole)
    return whole

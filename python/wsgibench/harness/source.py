"""Where this package came from, for what stands outside of it: the suites and
the pinned versions, and wsgibench itself for the environments of servers.

In a checkout that is the checkout. An installed package brings the suites and
pins along; into an environment of an interpreter that it was built for it goes
as it lies here, and for others pip looks for a wheel, then for the sources:
beside the file that this was installed from, and in the index.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from wsgibench import __version__, plugins
from wsgibench.harness import repack
from wsgibench.harness.interpreters import Interpreter

#: What setup.py puts into an installed package.
COPY = plugins.PACKAGE / "_benchmarks"


def checkout() -> Path | None:
    """The one that the package runs from."""
    root = plugins.PACKAGE.parent.parent
    return root if (root / "setup.py").exists() else None


def benchmarks() -> Path:
    """The folder with suites and pins."""
    root = checkout()
    return root / "benchmarks" if root else COPY


def commit() -> str:
    """Of the checkout that this runs from, with a + if it was changed since;
    "" outside of one."""
    root = checkout()
    if root is None:
        return ""
    found = []
    for command in (["rev-parse", "--short=12", "HEAD"], ["status", "-s"]):
        try:
            done = subprocess.run(
                ["git", "-C", str(root), *command],
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
    """All that c-uv is built from, in a checkout."""
    found = [root / "setup.py", root / "setup_native.py"]
    found += [root / "pyproject.toml"]
    found += sorted((root / "csrc").rglob("*.[ch]"))
    found += sorted((root / "csrc").rglob("*.py"))
    found += sorted(plugins.PACKAGE.glob("*.py"))
    found += sorted((plugins.PACKAGE / "native").glob("*.py"))
    return found


def _installed() -> metadata.Distribution | None:
    """None where the package was only put on the path."""
    try:
        return metadata.distribution("wsgibench")
    except metadata.PackageNotFoundError:
        return None


def stamp() -> bytes:
    """Changes when another wsgibench would be installed."""
    digest = hashlib.sha256(__version__.encode())
    root = checkout()
    installed = _installed()
    if root is not None:
        for path in files(root):
            digest.update(path.read_bytes())
    elif installed is not None:
        digest.update((installed.read_text("RECORD") or "").encode())
    return digest.digest()


def arguments(interpreter: Interpreter, cache: Path) -> list[str]:
    """What pip is to install for an interpreter to have this wsgibench."""
    root = checkout()
    if root is not None:
        return [str(root)]
    installed = _installed()
    if installed is None:
        return ["wsgibench==" + __version__]
    if repack.fits(interpreter):
        return [str(repack.wheel(installed, cache / "wheels"))]
    origin = _origin(installed)
    if origin is not None and origin.is_dir():
        return [str(origin)]
    beside = ["--find-links", str(origin.parent)] if origin else []
    return [*beside, "wsgibench==" + __version__]


def _origin(installed: metadata.Distribution) -> Path | None:
    """The folder or file that this was installed from (PEP 610), if it is
    still there."""
    text = installed.read_text("direct_url.json")
    url = urlsplit(json.loads(text or "{}").get("url", ""))
    path = Path(url2pathname(url.path))
    return path if url.scheme == "file" and path.exists() else None

"""One virtual environment per (interpreter, server), kept between runs.

Its folder is named after a hash of all that went in; a complete one has a
manifest, with the versions that pip chose.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wsgibench import plugins
from wsgibench.errors import WsgibenchError
from wsgibench.harness.interpreters import Interpreter

MANIFEST = "wsgibench-environment.json"
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Environment:
    python: str
    versions: dict[str, str]


def cache_directory() -> Path:
    override = os.environ.get("WSGIBENCH_CACHE")
    if override:
        return Path(override)
    import platformdirs

    return Path(platformdirs.user_cache_dir("wsgibench"))


def source_tree() -> Path | None:
    """The checkout this package runs from, if it is one."""
    root = plugins.PACKAGE.parent.parent
    return root if (root / "setup.py").exists() else None


def _source_files(root: Path) -> list[Path]:
    files = [root / "setup.py", root / "setup_native.py"]
    files += [root / "pyproject.toml"]
    files += sorted((root / "csrc").rglob("*.[ch]"))
    files += sorted((root / "csrc").rglob("*.py"))
    files += sorted(plugins.PACKAGE.glob("*.py"))
    files += sorted((plugins.PACKAGE / "native").glob("*.py"))
    return files


def _requirements(server: str) -> list[str]:
    """What pip is to install; wsgibench is this very one."""
    wanted: list[str] = []
    for requirement in plugins.constants("guest/servers", server)["REQUIRES"]:
        root = source_tree()
        if requirement == "wsgibench" and root is not None:
            requirement = str(root)
        elif requirement == "wsgibench":
            from wsgibench import __version__

            requirement = "wsgibench==" + __version__
        wanted.append(requirement)
    return wanted


def _key(interpreter: Interpreter, server: str) -> str:
    digest = hashlib.sha256()
    for text in (interpreter.path, interpreter.version):
        digest.update(text.encode())
    for requirement in _requirements(server):
        digest.update(requirement.encode())
        root = source_tree()
        if root is not None and requirement == str(root):
            for path in _source_files(root):
                digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _run(command: list[str], log: Path, why: str) -> None:
    with open(log, "ab") as out:
        try:
            code = subprocess.run(
                command, stdout=out, stderr=out, stdin=subprocess.DEVNULL
            ).returncode
        except OSError as error:
            code = 1
            out.write(("%s: %s\n" % (command[0], error)).encode())
    if code != 0:
        lines = log.read_text(errors="replace").splitlines()
        errors = [line for line in lines if "rror" in line] or lines[-1:]
        raise WsgibenchError(
            "%s failed: %s (all of it: %s)."
            % (why, " ".join(errors[-1:]).strip().rstrip("."), log)
        )


def _versions(python: Path) -> dict[str, str]:
    listing = subprocess.run(
        [str(python), "-m", "pip", "list", "--format=json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ).stdout
    try:
        packages: list[dict[str, Any]] = json.loads(listing)
    except ValueError:
        return {}
    hidden = ("pip", "setuptools", "wheel")
    return {
        package["name"].lower(): package["version"]
        for package in packages
        if package["name"].lower() not in hidden
    }


def _make(
    interpreter: Interpreter, server: str, folder: Path, tell: Tell
) -> None:
    wanted = _requirements(server)
    log = folder.with_suffix(".log")
    log.unlink(missing_ok=True)
    tell("making an environment for %s on %s" % (server, interpreter.label))
    command = [interpreter.path, "-m", "venv", str(folder)]
    if interpreter.version.startswith("2."):
        command = [sys.executable, "-m", "virtualenv", "-q"]
        command += ["-p", interpreter.path, str(folder)]
    _run(command, log, "making an environment for " + interpreter.label)
    if wanted:
        tell("installing %s on %s" % (server, interpreter.label))
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install"]
        _run(
            [*pip, "-q", *wanted],
            log,
            "installing %s on %s" % (server, interpreter.label),
        )


def get(interpreter: Interpreter, server: str, tell: Tell) -> Environment:
    """The environment, made if it is not there yet."""
    name = "%s-%s-%s-%s" % (
        server,
        interpreter.implementation.lower(),
        interpreter.version,
        _key(interpreter, server),
    )
    folder = cache_directory() / "environments" / name
    python = folder / "bin" / "python"
    manifest = folder / MANIFEST
    if not manifest.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        _make(interpreter, server, folder, tell)
        manifest.write_text(json.dumps(_versions(python)))
    versions: dict[str, str] = json.loads(manifest.read_text())
    return Environment(str(python), versions)


def installed() -> list[Path]:
    root = cache_directory() / "environments"
    return sorted(path.parent for path in root.glob("*/" + MANIFEST))

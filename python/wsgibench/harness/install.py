"""Making virtual environments and installing into them, with the reason in a
sentence when that fails."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wsgibench.errors import WsgibenchError
from wsgibench.harness.interpreters import Interpreter

#: The last virtualenv that runs on Python 2.7.
VIRTUALENV_2 = "virtualenv==20.15.1"
TOOLS = ("pip", "setuptools", "wheel", "pkg-resources")
#: How pip says that it could not reach an index, oldest to newest.
OFFLINE = re.compile(
    r"Temporary failure in name resolution|NewConnectionError|"
    r"Network is unreachable|Name or service not known|ConnectTimeoutError|"
    r"ProxyError|Connection refused"
)


def _clean() -> dict[str, str]:
    """Without PYTHONPATH and its kin, which are for our own interpreter."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PYTHON")
    }


def _run(
    command: list[str],
    log: Path,
    what: str,
    packages: Sequence[str] = (),
    environment: dict[str, str] | None = None,
) -> None:
    start = log.stat().st_size if log.exists() else 0
    with open(log, "ab") as out:
        try:
            code = subprocess.run(
                command,
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                env={**_clean(), **(environment or {})},
            ).returncode
        except OSError as error:
            code = 1
            out.write(("%s: %s\n" % (command[0], error)).encode())
    if code != 0:
        text = log.read_bytes()[start:].decode(errors="replace")
        raise WsgibenchError(_reason(what, text, packages, log))


def _reason(what: str, text: str, packages: Sequence[str], log: Path) -> str:
    if OFFLINE.search(text):
        return (
            "installing %s failed: no package index can be reached; go "
            "online, or set PIP_INDEX_URL or PIP_FIND_LINKS (all of it: %s)."
            % (what, log)
        )
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # The compiler's or pip's own complaint, not the summary behind it.
    telling = [
        line
        for line in lines
        if re.search(r"(?i)\berror:|fatal error|Could not|not supported", line)
        and not re.search(r"subprocess-exited|metadata-generation", line)
    ]
    last = (telling[:1] or lines[-1:] or ["no message"])[0]
    hint = ""
    if packages:
        hint = "; it may need the system packages " + " ".join(packages)
    return "installing %s failed: %s%s (all of it: %s)." % (
        what,
        last.rstrip(".")[:200],
        hint,
        log,
    )


def _virtualenv_2(interpreter: Interpreter, folder: Path, log: Path) -> str:
    """A folder with a virtualenv that runs on Python 2.7."""
    tools = folder.parent / "virtualenv-2.7"
    if not (tools / "virtualenv").exists():
        command = [interpreter.path, "-m", "pip", "install", "-q"]
        command += ["--target", str(tools), VIRTUALENV_2]
        _run(command, log, "virtualenv for " + interpreter.label)
    return str(tools)


def environment(
    interpreter: Interpreter, folder: Path, log: Path, *, system: bool
) -> None:
    log.unlink(missing_ok=True)
    options = ["--system-site-packages"] if system else []
    what = "an environment for " + interpreter.label
    if interpreter.version.startswith("2."):
        tools = _virtualenv_2(interpreter, folder, log)
        command = [interpreter.path, "-m", "virtualenv", "-q", *options]
        path = {"PYTHONPATH": tools}
        _run([*command, str(folder)], log, what, environment=path)
        return
    command = [interpreter.path, "-m", "venv", *options, str(folder)]
    _run(command, log, what)


def packages(
    python: Path,
    requirements: Sequence[str],
    log: Path,
    what: str,
    needs: Sequence[str],
    *,
    target: Path | None = None,
    pinned: dict[str, str] | None = None,
) -> None:
    command = [str(python), "-m", "pip", "install", "-q"]
    command += ["--disable-pip-version-check"]
    if pinned:
        constraints = log.with_suffix(".constraints")
        lines = ("%s==%s\n" % item for item in sorted(pinned.items()))
        constraints.write_text("".join(lines))
        command += ["--constraint", str(constraints)]
    if target is not None:
        command += ["--target", str(target)]
    _run([*command, *requirements], log, what, needs)


def versions(python: Path, target: Path | None = None) -> dict[str, str]:
    command = [str(python), "-m", "pip", "list", "--format=json"]
    command += ["--disable-pip-version-check"]
    if target is not None:
        command += ["--path", str(target)]
    listing = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_clean(),
    ).stdout
    try:
        found: list[dict[str, Any]] = json.loads(listing)
    except ValueError:
        return {}
    return {
        package["name"].lower(): package["version"]
        for package in found
        if package["name"].lower() not in TOOLS
    }

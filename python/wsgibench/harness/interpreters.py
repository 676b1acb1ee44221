"""Interpreters: from what the user wrote to an executable."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from wsgibench import runtimes
from wsgibench.errors import UsageError

#: Implementation, version, executable, the mark of the build, its switches.
#: Stackless says of itself that it is CPython; its version tells.
QUERY = """
import json, platform, sys, sysconfig
free = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
jit = getattr(sys, "_jit", None)
print(json.dumps([
    "Stackless" if "Stackless" in sys.version
    else platform.python_implementation(),
    platform.python_version(), sys.executable, "t" if free else "",
    ["gil"] * free + ["jit"] * bool(jit and jit.is_available())]))
"""

#: Of a text that names none.
SHOWN = 200

#: What can be turned on and off, and by which variable.
SWITCHES = {"gil": "PYTHON_GIL", "jit": "PYTHON_JIT"}


@dataclass(frozen=True)
class Interpreter:
    name: str  # as the user wrote it
    path: str
    implementation: str
    version: str
    build: str = ""  # "t": free-threaded
    switches: str = ""  # "gil=1 jit=0": as the user set them

    @property
    def label(self) -> str:
        return runtimes.name(asdict(self))

    @property
    def variables(self) -> dict[str, str]:
        """For the environment of a process that it runs."""
        pairs = [switch.split("=") for switch in self.switches.split()]
        return {SWITCHES[name]: value for name, value in pairs}

    def to_json(self) -> dict[str, str]:
        fields = asdict(self)
        return {name: text for name, text in fields.items() if text}


def _candidates(text: str) -> list[str]:
    """Paths and commands that the text may mean, best first."""
    if os.sep in text:
        return [text]
    command = "python" + text if text[:1].isdigit() else text
    found = []
    on_path = shutil.which(command)
    if on_path:
        found.append(on_path)
    # pyenv's shims answer only for the versions that are switched on.
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    folders = []
    with contextlib.suppress(OSError):
        versions = sorted((root / "versions").iterdir(), reverse=True)
        folders = [one for one in versions if one.name == text]
        folders += [one for one in versions if one.name.startswith(text + ".")]
    found += [str(folder / "bin" / "python") for folder in folders]
    return found


def _discovered(text: str) -> list[str]:
    """Where a library that knows more places (uv's, specifiers such as
    ">=3.12") finds it."""
    try:
        from python_discovery import get_interpreter
    except ImportError:
        return []
    if os.sep in text:
        return []  # a path means itself
    logging.getLogger("python_discovery").setLevel(logging.CRITICAL)
    try:
        info = get_interpreter(text)
    except (RuntimeError, ValueError, OSError):
        return []  # it asked a program that is no interpreter
    return [str(info.executable)] if info is not None else []


def _ask(path: str) -> list[Any]:
    try:
        answer = subprocess.run(
            [path, "-c", QUERY],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=20,
        )
        if answer.returncode == 0:
            parsed: list[Any] = json.loads(answer.stdout)
            return parsed
    except (OSError, subprocess.TimeoutExpired, ValueError):
        pass  # a null byte in its name, output that is no JSON
    return []


def _running() -> Interpreter | None:
    """ "python3" is the interpreter that runs this: by the name on the PATH if
    that is the same version, so that environments are shared."""
    if sys.implementation.name != "cpython":
        return None
    version = platform.python_version()
    base = getattr(sys, "_base_executable", sys.executable)
    for path in (shutil.which("python3") or base, base):
        answer = _ask(path)
        if answer[:2] == ["CPython", version]:
            implementation, version, executable, build, _ = answer
            return Interpreter(
                "python3", executable or path, implementation, version, build
            )
    return None


def _switched(interpreter: Interpreter, text: str) -> Interpreter:
    """With the switches behind its name: ``3.13t:gil=1``."""
    able = _ask(interpreter.path)[4]
    switches = text.split(":")[1:]
    for switch in switches:
        name, _, value = switch.partition("=")
        if name not in SWITCHES or value not in ("0", "1"):
            raise UsageError(
                "%r is no switch of an interpreter: gil=0, gil=1, jit=0 or "
                "jit=1." % switch
            )
        if name not in able:
            raise UsageError(
                "%s cannot turn its %s on or off."
                % (interpreter.label, name.upper())
            )
    return replace(interpreter, name=text, switches=" ".join(switches))


def find(text: str) -> Interpreter:
    name, colon, _ = text.partition(":")
    if colon:
        return _switched(find(name), text)
    running = _running() if text == "python3" else None
    if running is not None:
        return running
    for places in (_candidates, _discovered):
        for path in places(text):
            answer = _ask(path)
            if answer:
                implementation, version, executable, build, _ = answer
                return Interpreter(
                    text, executable or path, implementation, version, build
                )
    raise UsageError(
        "there is no interpreter %r; give a command on the PATH, a version "
        "like 3.12, or a path." % text[:SHOWN]
    )


def discover() -> list[Interpreter]:
    """What is there without being asked for by path."""
    names = ["python3", "pypy3"]
    names += ["3.%d" % minor for minor in range(6, 16)]
    names += ["3.%dt" % minor for minor in range(13, 16)]
    names.append("2.7")
    found = []
    seen = set()
    for name in names:
        try:
            interpreter = find(name)
        except UsageError:
            continue
        identity = (
            interpreter.implementation,
            interpreter.version,
            interpreter.build,
        )
        if identity not in seen:
            seen.add(identity)
            found.append(interpreter)
    return found

"""Interpreters: from what the user wrote to an executable."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from wsgibench.errors import UsageError

#: Stackless says of itself that it is CPython; its version tells.
QUERY = (
    "import json, platform, sys;"
    "print(json.dumps(['Stackless' if 'Stackless' in sys.version else "
    "platform.python_implementation(),"
    "platform.python_version(), sys.executable]))"
)


@dataclass(frozen=True)
class Interpreter:
    name: str  # as the user wrote it
    path: str
    implementation: str
    version: str

    @property
    def label(self) -> str:
        return "%s %s" % (self.implementation, self.version)

    def to_json(self) -> dict[str, str]:
        return asdict(self)


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
    folders = [*root.glob("versions/" + text)]
    folders += sorted(root.glob("versions/%s.*" % text), reverse=True)
    found += [str(folder / "bin" / "python") for folder in folders]
    return found


def _discovered(text: str) -> list[str]:
    """Where a library that knows more places (uv's, specifiers such as
    ">=3.12") finds it."""
    try:
        from python_discovery import get_interpreter
    except ImportError:
        return []
    info = get_interpreter(text)
    return [str(info.executable)] if info is not None else []


def _ask(path: str) -> list[str]:
    try:
        answer = subprocess.run(
            [path, "-c", QUERY],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=20,
        )
        if answer.returncode == 0:
            parsed: list[str] = json.loads(answer.stdout)
            return parsed
    except (OSError, subprocess.TimeoutExpired, ValueError):
        pass
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
            return Interpreter("python3", answer[2] or path, *answer[:2])
    return None


def find(text: str) -> Interpreter:
    running = _running() if text == "python3" else None
    if running is not None:
        return running
    for places in (_candidates, _discovered):
        for path in places(text):
            answer = _ask(path)
            if answer:
                implementation, version, executable = answer
                return Interpreter(
                    text, executable or path, implementation, version
                )
    raise UsageError(
        "there is no interpreter %r; give a command on the PATH, a version "
        "like 3.12, or a path." % text
    )


def discover() -> list[Interpreter]:
    """What is there without being asked for by path."""
    names = ["python3", "pypy3"]
    names += ["3.%d" % minor for minor in range(6, 15)]
    names.append("2.7")
    found = []
    seen = set()
    for name in names:
        try:
            interpreter = find(name)
        except UsageError:
            continue
        identity = (interpreter.implementation, interpreter.version)
        if identity not in seen:
            seen.add(identity)
            found.append(interpreter)
    return found

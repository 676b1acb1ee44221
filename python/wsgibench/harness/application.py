"""An application of the user's own: where it is, and what it needs."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wsgibench import bounded
from wsgibench.errors import UsageError, WsgibenchError
from wsgibench.target.reference import parsed

COMMAND_TIMEOUT = 600.0
#: Of a variable.
NAME = re.compile(r"[^\s=\0]+")
HOST = re.compile(r"[!-~]+")


@dataclass(frozen=True)
class Application:
    target: str
    chdir: str  # absolute
    environ: tuple[tuple[str, str], ...] = ()
    install: tuple[str, ...] = ()  # arguments of pip install
    venv: str = ""  # absolute; "": none
    setup: str = ""
    reset: str = ""
    sessions: str = ""
    visitors: int = 8
    host: str = "localhost"  # what the Host header says

    def task(self) -> dict[str, Any]:
        """Of child.py's task."""
        return {"app": self.target, "chdir": self.chdir}

    def to_json(self) -> dict[str, Any]:
        """For the record; values of variables may be secret."""
        return {
            "target": self.target,
            "chdir": self.chdir,
            "environ": [name for name, _ in self.environ],
            "install": list(self.install),
            "venv": self.venv,
            "setup": self.setup,
            "reset": self.reset,
            "sessions": self.sessions,
            "visitors": self.visitors if self.sessions else 0,
            "host": self.host,
        }

    def command(self, text: str, python: str, sites: Sequence[str]) -> None:
        """Runs a command of the user's where the application lives, with
        the interpreter that is being raced first on the PATH."""
        environ = {**clean_environ(), **dict(self.environ)}
        folder = str(Path(python).parent)
        environ["PATH"] = folder + os.pathsep + environ.get("PATH", "")
        paths = [*sites, environ.get("PYTHONPATH", "")]
        environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        try:
            done = subprocess.run(
                text,
                shell=True,
                cwd=self.chdir,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=COMMAND_TIMEOUT,
            )
        except subprocess.TimeoutExpired as error:
            raise WsgibenchError(
                "%r did not end within %d s." % (text, COMMAND_TIMEOUT)
            ) from error
        if done.returncode != 0:
            words = done.stdout.decode(errors="replace").strip().splitlines()
            raise WsgibenchError(
                "%r failed (exit %d): %s"
                % (text, done.returncode, (words or ["it said nothing"])[-1])
            )


def clean_environ() -> dict[str, str]:
    """Ours without what is for our own interpreter."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PYTHON") and name != "VIRTUAL_ENV"
    }


def make(
    target: str,
    *,
    chdir: str,
    env: Sequence[str],
    env_file: Sequence[str],
    requirements: Sequence[str],
    install: Sequence[str],
    venv: str,
    setup: str,
    reset: str,
    sessions: str,
    visitors: int,
    host: str,
) -> Application:
    """From the texts of a command line; UsageError tells what is wrong."""
    if not _is_target(target):
        raise UsageError(
            "%r is no application like mysite.wsgi:application, "
            "myapp:create_app() or myapp:create_app('prod', debug=False)."
            % target
        )
    folder = Path(chdir).resolve()
    if not folder.is_dir():
        raise UsageError("there is no folder %s." % folder)
    if sessions and not _is_target(sessions):
        raise UsageError("%r is no function like sessions:login." % sessions)
    if not HOST.fullmatch(host):
        raise UsageError("%r is no host like example.com:8000." % host)
    if not all(text.strip() for text in install):
        raise UsageError("--install names a package or a path.")
    if visitors < 1:
        raise UsageError("visitors cannot be %d." % visitors)
    variables: dict[str, str] = {}
    for name in env_file:
        variables.update(_read_env(Path(name)))
    for text in env:
        key, equals, value = text.partition("=")
        if not equals or not NAME.fullmatch(key):
            raise UsageError("%r is not like NAME=VALUE." % text)
        variables[key] = value
    for key, value in variables.items():
        if "\0" in value:
            raise UsageError("the variable %s holds a null byte." % key)
    return Application(
        target,
        str(folder),
        tuple(variables.items()),
        _install(requirements, install),
        _venv(venv),
        setup,
        reset,
        sessions,
        visitors,
        host,
    )


#: It is written for Python 2.7, too, so without types.
read_target: Callable[[str], Any] = parsed


def _is_target(text: str) -> bool:
    try:
        module, _, _ = read_target(text)
    except ValueError:
        return False
    return all(part.isidentifier() for part in module.split("."))


def _install(files: Sequence[str], packages: Sequence[str]) -> tuple[str, ...]:
    arguments: list[str] = []
    for name in files:
        path = Path(name).resolve()
        if not path.is_file():
            raise UsageError("there is no file %s." % path)
        arguments += ["-r", str(path)]
    for text in packages:
        # pip runs elsewhere: a path is made absolute.
        local = Path(text).exists() and (os.sep in text or text == ".")
        arguments.append(str(Path(text).resolve()) if local else text)
    return tuple(arguments)


def _venv(text: str) -> str:
    if not text:
        return ""
    python = Path(text).absolute() / "bin" / "python"
    if not python.exists():
        raise UsageError(
            "%s is no virtual environment: there is no %s." % (text, python)
        )
    return str(python.parent.parent)


def _read_env(path: Path) -> Mapping[str, str]:
    """NAME=VALUE lines, as of a shell or of docker's --env-file."""
    data = bounded.read(path, may_wait=True, most=bounded.SMALL)
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise UsageError("%s is not in UTF-8." % path) from error
    found = {}
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        key, equals, value = text.partition("=")
        key = key.removeprefix("export ").strip()
        if not equals or not NAME.fullmatch(key):
            raise UsageError(
                "%s, line %d is not like NAME=VALUE." % (path, number)
            )
        try:
            found[key] = _unquoted(value.strip())
        except ValueError as error:
            raise UsageError(
                "%s, line %d: the quotation does not end." % (path, number)
            ) from error
    return found


def _unquoted(value: str) -> str:
    if value[:1] in ("'", '"'):
        return (shlex.split(value) or [""])[0]
    return value.partition(" #")[0].rstrip()

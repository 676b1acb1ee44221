"""Making virtual environments and installing into them, with the reason in a
sentence when that fails."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

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
    *,
    doing: str = "installing",
    cwd: Path | None = None,
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
                cwd=cwd,
            ).returncode
        except OSError as error:
            code = 1
            out.write(("%s: %s\n" % (command[0], error)).encode())
    if code != 0:
        text = log.read_bytes()[start:].decode(errors="replace")
        raise WsgibenchError(_reason(doing + " " + what, text, packages, log))


def _reason(what: str, text: str, packages: Sequence[str], log: Path) -> str:
    if OFFLINE.search(text):
        return (
            "%s failed: no package index can be reached; go "
            "online, or set PIP_INDEX_URL or PIP_FIND_LINKS (all of it: %s)."
            % (what, log)
        )
    last = _telling(text)
    hint = ""
    if packages:
        hint = "; it may need the system packages " + " ".join(packages)
    return "%s failed: %s%s (all of it: %s)." % (
        what,
        last.rstrip(".")[:200],
        hint,
        log,
    )


#: Of pip, around the complaint and no part of it.
AROUND = re.compile(
    r"(?i)subprocess-exited|metadata-generation|^note:|^hint:"
    r"|did not run successfully|^. exit code|See above for output"
    r"|lines? of output\]$|^\[end of output"
)
#: A build of which pip shows what it said.
SAID = re.compile(r"lines? of output\](.*?)\[end of output\]", re.DOTALL)


def _telling(text: str) -> str:
    """The line that says why: of the compiler or of pip itself; or else the
    first that the build said; not pip's summary behind it."""

    def lines(part: str) -> list[str]:
        found = (line.strip() for line in part.splitlines())
        return [one for one in found if one and not AROUND.search(one)]

    complaints = [
        line
        for line in lines(text)
        if re.search(r"(?i)error:|Could not|not supported", line)
    ]
    said = [line for part in SAID.findall(text) for line in lines(part)]
    found = complaints[:1] or said[:1] or lines(text)[-1:]
    return (found or ["no message"])[0]


def _virtualenv_2(folder: Path, log: Path) -> str:
    """A folder with a virtualenv for Python 2.7. It runs on our interpreter:
    the other need not have pip, nor reach an index."""
    tools = folder.parent / "virtualenv-for-2.7"
    if not (tools / "virtualenv").exists():
        command = [sys.executable, "-m", "pip", "install", "-q"]
        command += ["--disable-pip-version-check"]
        command += ["--target", str(tools), VIRTUALENV_2]
        _run(command, log, "virtualenv for Python 2.7")
    return str(tools)


def _can_be_served(version: str) -> bool:
    """Whether our own pip installs for that Python, with `--python`, which
    came with pip 22.3. Making an environment is then several seconds shorter,
    most of all on PyPy."""
    from packaging.specifiers import SpecifierSet

    try:
        own = metadata.metadata("pip")
    except metadata.PackageNotFoundError:
        return False
    runs_on = SpecifierSet(own["Requires-Python"] or ">=3.7")
    return own["Version"] in SpecifierSet(">=22.3") and version in runs_on


def environment(
    interpreter: Interpreter,
    folder: Path,
    log: Path,
    *,
    system: bool,
    pip: bool = False,
) -> None:
    """With a `pip` of its own if it is asked for, or ours cannot do it. With
    `system`, what is installed in the interpreter is seen in it: also where
    that is a virtual environment, which a plain one looks past."""
    log.unlink(missing_ok=True)
    options = ["--system-site-packages"] if system else []
    if not pip and _can_be_served(interpreter.version):
        options.append("--without-pip")
    what = "an environment for " + interpreter.label
    if interpreter.version.startswith("2."):
        command = [sys.executable, "-m", "virtualenv", "-q", *options]
        command += ["--no-periodic-update", "--python", interpreter.path]
        path = {"PYTHONPATH": _virtualenv_2(folder, log)}
        _run([*command, str(folder)], log, what, environment=path)
    else:
        command = [interpreter.path, "-m", "venv", *options, str(folder)]
        _run(command, log, what)
    if system:
        _look_into(interpreter, folder)


def site_packages(python: Path) -> tuple[str, ...]:
    asked = "import sysconfig as s; print(s.get_path('purelib'));"
    asked += "print(s.get_path('platlib'))"
    said = subprocess.run(
        [str(python), "-c", asked],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    ).stdout
    return tuple(dict.fromkeys(said.split()))


def _look_into(interpreter: Interpreter, folder: Path) -> None:
    """Lets the environment see the packages of its interpreter."""
    theirs = site_packages(Path(interpreter.path))
    for place in site_packages(folder / "bin" / "python")[:1]:
        lines = [
            "import site; site.addsitedir(%r)\n" % path for path in theirs
        ]
        (Path(place) / "wsgibench-interpreter.pth").write_text("".join(lines))


def _pip(python: Path) -> list[str]:
    """Its own pip, or ours."""
    if (python.parent / "pip").exists():
        return [str(python), "-m", "pip"]
    return [sys.executable, "-m", "pip", "--python", str(python)]


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
    command = [*_pip(python), "install", "-q", "--disable-pip-version-check"]
    if pinned:
        constraints = log.with_suffix(".constraints")
        lines = ("%s==%s\n" % item for item in sorted(pinned.items()))
        constraints.write_text("".join(lines))
        command += ["--constraint", str(constraints)]
    if target is not None:
        command += ["--target", str(target)]
    _run([*command, *requirements], log, what, needs)


def build(python: Path, tree: Path, into: Path, log: Path, what: str) -> None:
    """Compiles the extensions of a source tree, with the compiler's cache
    where there is one: between two versions most files are the same."""
    cache = shutil.which("ccache")
    compiler = {"CCACHE_BASEDIR": str(tree), "CCACHE_NOHASHDIR": "1"}
    if cache and "CC" not in os.environ:
        compiler["CC"] = "ccache cc"
    command = [str(python), "setup.py", "-q", "build_ext"]
    command += ["--build-lib", str(into / "lib")]
    command += ["--build-temp", str(into / "temp")]
    _run(command, log, what, (), compiler, doing="building", cwd=tree)


#: Prints what is installed in folders of sys.path, or in those of its
#: arguments: the folders, and versions by name.
INSTALLED = """
import json, sys
try:
    from importlib.metadata import distributions
except ImportError:
    from pkg_resources import find_distributions
    def distributions(path):
        return [d for p in path for d in find_distributions(p)]
ends = ("site-packages", "dist-packages")
sites = sys.argv[1:] or [p for p in sys.path if p.endswith(ends)]
found = []
for d in distributions(path=sites):
    name = getattr(d, "project_name", None) or d.metadata["Name"]
    found.append((name, d.version))
print(json.dumps([sites, dict(pair for pair in found if pair[0])]))
"""


def installed(
    python: Path | str, target: Path | None = None
) -> tuple[tuple[str, ...], dict[str, str]]:
    """(folders, versions by name in lower case)"""
    more = [str(target)] if target is not None else []
    done = subprocess.run(
        [str(python), "-c", INSTALLED, *more],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env=_clean(),
    )
    if done.returncode != 0:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        raise WsgibenchError(
            "%s does not tell its packages: %s"
            % (python, (words or ["no message"])[-1])
        )
    folders, found = json.loads(done.stdout)
    return tuple(folders), {
        name.lower(): version
        for name, version in found.items()
        if name.lower() not in TOOLS
    }


def versions(python: Path, target: Path | None = None) -> dict[str, str]:
    return installed(python, target)[1]

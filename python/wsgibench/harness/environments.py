"""Virtual environments, kept between runs.

One for each interpreter and set of requirements: servers of one package share
it. Beside it, for the requirements of applications, a folder of libraries: so
a server gets the packages of an application without a copy for every pair.
Folders are named after a hash of all that went in; a complete one has a
manifest, with the versions that pip chose.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wsgibench import cache
from wsgibench.errors import WsgibenchError
from wsgibench.harness import install, pins, servers, source
from wsgibench.harness.interpreters import Interpreter

MANIFEST = "wsgibench-environment.json"
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Environment:
    python: str
    versions: dict[str, str]
    libraries: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()  # with .pth files
    variables: tuple[tuple[str, str], ...] = ()  # of its interpreter


def _requirements(server: str) -> list[str]:
    """As the server's file names them."""
    requires: list[str] = servers.constants(server)["REQUIRES"]
    return requires


def _arguments(
    interpreter: Interpreter, requirements: Sequence[str]
) -> list[str]:
    """What pip is to install; wsgibench is this very one."""
    found = []
    for requirement in requirements:
        if requirement == "wsgibench":
            found += source.arguments(interpreter, cache.directory())
        else:
            found.append(requirement)
    return found


def _key(interpreter: Interpreter, requirements: Sequence[str]) -> str:
    digest = hashlib.sha256()
    for text in (interpreter.path, interpreter.version):
        digest.update(text.encode())
    for requirement in requirements:
        digest.update(requirement.encode())
        if requirement == "wsgibench":
            digest.update(source.stamp())
    return digest.hexdigest()[:12]


def _name(requirements: Sequence[str]) -> str:
    """Of a folder, from the packages' names."""
    names = [re.split(r"[^\w.-]", text)[0] for text in requirements]
    return "+".join(dict.fromkeys(names))[:60]


def _folder(kind: str, name: str, interpreter: Interpreter, key: str) -> Path:
    text = "%s-%s-%s-%s" % (
        name,
        interpreter.implementation.lower(),
        interpreter.version,
        key,
    )
    return cache.directory() / kind / text


def _kept(
    folder: Path,
    pinned: dict[str, str],
    make: Callable[[], dict[str, str]],
) -> dict[str, str]:
    """The manifest's versions, from an earlier run or made now."""
    manifest = folder / MANIFEST
    cache.make(folder.parent)
    # Another run may be making the very same.
    with open(folder.parent / (folder.name + ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        versions = _read(folder)
        if versions is None or not pins.agree(versions, pinned):
            shutil.rmtree(folder, ignore_errors=True)
            versions = make()
            manifest.write_text(json.dumps(versions))
    return versions


def _read(folder: Path) -> dict[str, str] | None:
    try:
        versions: dict[str, str] = json.loads((folder / MANIFEST).read_text())
    except OSError:
        return None
    return versions


def _check_imports(server: str, python: Path, label: str) -> None:
    """Of servers that no index has, an installed copy is used."""
    constants = servers.constants(server)
    module = constants.get("IMPORTS")
    if not module:
        return
    done = subprocess.run(
        [str(python), "-c", "import " + module],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode != 0:
        raise WsgibenchError(
            "%s cannot import %s: %s." % (label, module, constants["INSTALL"])
        )


def _folder_of(interpreter: Interpreter, server: str) -> tuple[Path, str]:
    """Where the environment of a server is kept, and its name."""
    constants = servers.constants(server)
    requirements = _requirements(server)
    alone = constants.get("ALONE", [])
    system = constants.get("SYSTEM_SITE_PACKAGES", False)
    module = constants.get("IMPORTS", "")
    key = _key(interpreter, [*requirements, *alone, str(system), module])
    name = _name(constants["REQUIRES"]) or module or "bare"
    return _folder("environments", name, interpreter, key), name


def missing(pairs: Iterable[tuple[Interpreter, str]]) -> list[tuple[str, str]]:
    """(implementation, name) of the environments of these servers that are
    still to be made."""
    found = {}
    for interpreter, server in pairs:
        folder, name = _folder_of(interpreter, server)
        if _read(folder) is None:
            found[folder] = (interpreter.implementation, name)
    return list(found.values())


def get(interpreter: Interpreter, server: str, tell: Tell) -> Environment:
    """The environment of a server, made if it is not there yet."""
    requirements = _requirements(server)
    constants = servers.constants(server)
    alone = constants.get("ALONE", [])
    system = constants.get("SYSTEM_SITE_PACKAGES", False)
    folder, name = _folder_of(interpreter, server)
    python = folder / "bin" / "python"
    what = "%s on %s" % (server, interpreter.label)
    pinned = pins.read(interpreter.implementation, interpreter.version, name)

    def make() -> dict[str, str]:
        tell("making an environment for " + what)
        log = folder.parent / (folder.name + ".log")
        install.environment(
            interpreter,
            folder,
            log,
            system=system,
        )
        _check_imports(server, python, interpreter.label)
        if requirements:
            tell("installing " + what)
            needs = constants.get("PACKAGES", [])
            arguments = _arguments(interpreter, requirements)
            with _alone_if_ours(requirements):
                install.packages(
                    python, arguments, log, what, needs, pinned=pinned
                )
        if alone:
            install.packages(python, ["--no-deps", *alone], log, what, [])
        return install.versions(python)

    return Environment(
        str(python),
        _kept(folder, pinned, make),
        variables=tuple(interpreter.variables.items()),
    )


@contextlib.contextmanager
def _alone_if_ours(requirements: Sequence[str]) -> Iterator[None]:
    """pip builds this package where its source lies: one at a time."""
    if "wsgibench" not in requirements:
        yield
        return
    with open(cache.directory() / "build.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def libraries(
    interpreter: Interpreter, requires: Sequence[str], tell: Tell
) -> tuple[str, dict[str, str]]:
    """(folder, versions) of an application's requirements."""
    key = _key(interpreter, requires)
    folder = _folder("libraries", _name(requires), interpreter, key)
    what = "%s for %s" % (", ".join(requires), interpreter.label)
    pinned = pins.read(
        interpreter.implementation, interpreter.version, _name(requires)
    )

    def make() -> dict[str, str]:
        tell("installing " + what)
        bare = get(interpreter, "wsgiref", tell)
        log = folder.parent / (folder.name + ".log")
        install.packages(
            Path(bare.python),
            requires,
            log,
            what,
            [],
            target=folder,
            pinned=pinned,
        )
        return install.versions(Path(bare.python), folder)

    return str(folder), _kept(folder, pinned, make)


def _contents(arguments: Sequence[str]) -> list[str]:
    """What else tells one installation from another: requirement files as
    they read now, and when the files of a local project were changed."""
    found = []
    for text in arguments:
        path = Path(text)
        if not path.is_absolute():
            continue
        if path.is_file():
            found.append(path.read_text(errors="replace"))
        elif path.is_dir():
            for file in sorted(path.rglob("*.py")) + [path / "pyproject.toml"]:
                if file.is_file():
                    found.append("%s %d" % (file, file.stat().st_mtime_ns))
    return found


def _folder_of_application(
    interpreter: Interpreter, arguments: Sequence[str]
) -> Path:
    key = _key(interpreter, [*arguments, *_contents(arguments)])
    return _folder("applications", "application", interpreter, key)


def missing_application(
    interpreter: Interpreter, arguments: Sequence[str]
) -> bool:
    return _read(_folder_of_application(interpreter, arguments)) is None


def of_application(
    interpreter: Interpreter, arguments: Sequence[str], tell: Tell
) -> Environment:
    """An environment with what an application requires, for servers to look
    into; `arguments` are those of pip install."""
    folder = _folder_of_application(interpreter, arguments)
    python = folder / "bin" / "python"
    what = "the application's requirements on %s" % interpreter.label

    def make() -> dict[str, str]:
        tell("installing " + what)
        log = folder.parent / (folder.name + ".log")
        # --setup may want a pip that installs here.
        install.environment(interpreter, folder, log, system=False, pip=True)
        install.packages(python, arguments, log, what, [])
        return install.versions(python)

    versions = _kept(folder, {}, make)
    return Environment(
        str(python),
        versions,
        (),
        install.site_packages(python),
        tuple(interpreter.variables.items()),
    )


def installed() -> list[Path]:
    root = cache.directory()
    return sorted(path.parent for path in root.glob("*/*/" + MANIFEST))


def pin(folders: Sequence[Path]) -> list[Path]:
    """Writes down the versions in them; the files that were written."""
    found: dict[tuple[str, str], dict[str, dict[str, str]]] = {}
    for folder in folders:
        name, implementation, version, _ = folder.name.rsplit("-", 3)
        group = found.setdefault((implementation, version), {})
        group[name] = _read(folder) or {}
    return [pins.write(*key, group) for key, group in found.items()]

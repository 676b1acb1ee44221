"""Pinned versions, and environments that no longer agree with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from wsgibench.harness import environments, install, interpreters, pins


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A cache and a folder of pins of our own; nothing is installed."""
    monkeypatch.setenv("WSGIBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(pins, "folder", lambda: tmp_path / "pins")
    monkeypatch.setattr(
        install, "environment", lambda i, folder, *a, **o: folder.mkdir()
    )
    return tmp_path


def test_what_is_pinned_is_asked_for(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    now = {"waitress": "3.0.0"}

    def packages(*arguments: object, **options: object) -> None:
        asked.append(options["pinned"])

    monkeypatch.setattr(install, "packages", packages)
    monkeypatch.setattr(install, "versions", lambda python: dict(now))
    python = interpreters.find("python3")

    def get() -> dict[str, str]:
        return environments.get(python, "waitress", lambda text: None).versions

    assert get() == {"waitress": "3.0.0"}
    assert asked == [{}]
    (path,) = environments.pin(environments.installed())
    assert path.parent == places / "pins"
    # Agreed: kept as it is.
    assert get() == {"waitress": "3.0.0"}
    assert len(asked) == 1
    # Pinned to another version: made anew, with that one asked for.
    pins.write(
        python.implementation,
        python.version,
        {"waitress": {"waitress": "2.1.2"}},
    )
    now["waitress"] = "2.1.2"
    assert get() == {"waitress": "2.1.2"}
    assert asked[1:] == [{"waitress": "2.1.2"}]


def test_names_agree_as_pip_compares_them() -> None:
    versions = {"zope.interface": "7.0", "typing_extensions": "4.1"}
    assert pins.agree(versions, {"zope-interface": "7.0"})
    assert not pins.agree(versions, {"zope-interface": "7.1"})
    assert pins.agree(versions, {"another": "1"})


def test_pip_is_told_by_a_file_of_constraints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(
        install, "_run", lambda command, *a, **o: commands.append(command)
    )
    log = tmp_path / "x.log"
    install.packages(
        Path("python"), ["a"], log, "a", [], pinned={"a": "1", "b": "2"}
    )
    at = commands[0].index("--constraint")
    assert Path(commands[0][at + 1]).read_text() == "a==1\nb==2\n"


def test_our_own_package_is_never_pinned(places: Path) -> None:
    path = pins.write("CPython", "3.11.7", {"x": {"wsgibench": "1", "y": "2"}})
    assert path.name == "cpython-3.11.json"
    assert pins.read("CPython", "3.11.2", "x") == {"y": "2"}
    assert pins.read("CPython", "3.12.0", "x") == {}


def test_what_belongs_to_pypy_is_never_pinned(places: Path) -> None:
    held = {"greenlet": "0.4.13", "cffi": "1.15.1", "tornado": "6.4"}
    pins.write("PyPy", "3.9.16", {"tornado": held})
    assert pins.read("PyPy", "3.9.19", "tornado") == {"tornado": "6.4"}

"""wsgibench in the environments of servers, where it is installed itself."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from wsgibench import __version__
from wsgibench.harness import interpreters, repack, source
from wsgibench.harness.interpreters import Interpreter

ANOTHER = Interpreter("x", "/bin/false", "CPython", "3.0.0")
RECORD = """\
wsgibench/__init__.py,,
wsgibench/native/_capi.so,,
wsgibench.libs/libuv.so,,
wsgibench/__pycache__/__init__.pyc,,
../../bin/wsgibench,,
{info}/METADATA,,
{info}/WHEEL,,
{info}/RECORD,,
{info}/INSTALLER,,
{info}/direct_url.json,,
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of packages with an installed wsgibench."""
    tag = "py3-none-any"
    info = "wsgibench-%s.dist-info" % __version__
    text = RECORD.format(info=info)
    for line in text.splitlines():
        path = tmp_path / "lib" / "site" / line.partition(",")[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("# %s\n" % line)
    folder = tmp_path / "lib" / "site"
    (folder / info / "RECORD").write_text(text)
    (folder / info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: wsgibench\nVersion: %s\n" % __version__
    )
    (folder / info / "WHEEL").write_text(
        "Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: %s\n" % tag
    )
    return folder


@pytest.fixture
def installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (found,) = metadata.distributions(path=[str(site)])
    monkeypatch.setattr(source, "_installed", lambda: found)
    monkeypatch.setattr(source, "checkout", lambda: None)
    return site


def origin(site: Path, path: Path) -> None:
    (information,) = site.glob("*.dist-info")
    text = '{"url": "%s", "archive_info": {}}' % path.as_uri()
    (information / "direct_url.json").write_text(text)


def test_the_same_interpreter_gets_what_is_installed(
    installed: Path, tmp_path: Path
) -> None:
    own = interpreters.find(sys.executable)
    (path,) = source.arguments(own, tmp_path)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    assert sorted(names) == sorted(
        [
            "wsgibench/__init__.py",
            "wsgibench/native/_capi.so",
            "wsgibench.libs/libuv.so",
            *(
                "wsgibench-%s.dist-info/%s" % (__version__, name)
                for name in ("METADATA", "WHEEL", "RECORD")
            ),
        ]
    )
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "-q", "--no-deps"),
            *("--no-index", "--target", str(tmp_path / "there"), path),
        ],
        check=True,
    )
    copy = tmp_path / "there" / "wsgibench" / "native" / "_capi.so"
    original = installed / "wsgibench" / "native" / "_capi.so"
    assert copy.read_bytes() == original.read_bytes()


def test_others_get_a_wheel_or_the_sources_from_beside_it(
    installed: Path, tmp_path: Path
) -> None:
    version = "wsgibench==" + __version__
    origin(installed, tmp_path / "gone" / "x.whl")
    assert source.arguments(ANOTHER, tmp_path) == [version]
    wheel = tmp_path / "x.whl"
    wheel.write_text("")
    origin(installed, wheel)
    beside = ["--find-links", str(tmp_path), version]
    assert source.arguments(ANOTHER, tmp_path) == beside
    origin(installed, tmp_path)
    assert source.arguments(ANOTHER, tmp_path) == [str(tmp_path)]


def test_another_build_has_another_stamp(installed: Path) -> None:
    before = source.stamp()
    (information,) = installed.glob("*.dist-info")
    with open(information / "RECORD", "a") as record:
        record.write("wsgibench/new.py,,\n")
    assert source.stamp() != before


def test_the_abi_is_asked_of_the_interpreter() -> None:
    assert repack.fits(interpreters.find(sys.executable))
    assert not repack.fits(ANOTHER)

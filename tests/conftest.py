"""Fixtures for every suite: the bindings of this interpreter, and servers."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from wsgibench import native
from wsgibench.load import limits

#: Another server can stand in for ours in the black-box suites.
SERVER = os.environ.get("WSGIBENCH_TEST_SERVER", "wsgibench")


def pytest_configure(config: pytest.Config) -> None:
    # A shell that starts us in the background has SIGINT and SIGQUIT ignored,
    # and everything we start would ignore them, too.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGQUIT) is signal.SIG_IGN:
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    _own_folder(config)
    # Some hold hundreds of connections, and both of their ends.
    limits.raise_descriptors()
    config.addinivalue_line(
        "markers", "slow: takes minutes; runs with -m slow only"
    )


def _own_folder(config: pytest.Config) -> None:
    """What is killed in a test leaves its temporary files behind: in a folder
    that goes with us, xdist's processes too. pytest keeps its own elsewhere,
    to be looked at."""
    if hasattr(config, "workerinput"):
        return
    usual = tempfile.gettempdir()
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", usual)
    folder = tempfile.mkdtemp(prefix="wsgibench-tests-")
    os.chmod(folder, 0o1777)  # servers and services run as other users, too
    os.environ["TMPDIR"] = tempfile.tempdir = folder

    def end() -> None:
        os.environ["TMPDIR"] = tempfile.tempdir = usual
        shutil.rmtree(folder, ignore_errors=True)

    config.add_cleanup(end)


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    if config.getoption("-m"):
        return
    skip = pytest.mark.skip(reason="slow: run it with -m slow")
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def of_all_workers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this run, the same in each of xdist's processes: for what
    is slow to make. Who makes something there locks it."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session", autouse=True)
def cache(of_all_workers: Path) -> Iterator[Path]:
    """Environments of servers: made once for all tests, in a cache that is
    not the user's, unless WSGIBENCH_CACHE names one to keep."""
    kept = os.environ.get("WSGIBENCH_CACHE")
    folder = Path(kept) if kept else of_all_workers / "cache"
    os.environ["WSGIBENCH_CACHE"] = str(folder)
    yield folder
    if not kept:
        del os.environ["WSGIBENCH_CACHE"]


def _bindings() -> list[str]:
    if SERVER != "wsgibench":
        return [SERVER]
    reasons = native.importable()
    found = [name for name, reason in reasons.items() if not reason]
    return found or ["none"]


@pytest.fixture(scope="session", params=_bindings())
def binding(request: pytest.FixtureRequest) -> str:
    """Each binding that works here, in turn."""
    if request.param == "none":
        pytest.fail("no binding is built: %s" % native.importable())
    return str(request.param)


Start = Callable[..., Any]


@pytest.fixture
def serve_app(
    binding: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Start]:
    """serve_app(app, **settings): a Server in a thread of this process."""
    from wsgibench.native.server import Server

    monkeypatch.setenv("WSGIBENCH_BACKEND", binding)
    with contextlib.ExitStack() as stack:

        def start(app: Any, **settings: Any) -> Any:
            settings.setdefault("port", 0)
            native.binding.cache_clear()
            return stack.enter_context(Server(app, **settings))

        yield start
    native.binding.cache_clear()


@pytest.fixture(scope="session")
def start_target(binding: str) -> Callable[..., Any]:
    """start_target(app, **options): a context manager that runs `app`
    ("module:name") under this binding in a process of its own."""
    from tests.wire.target import running

    def start(app: str, **options: Any) -> Any:
        if SERVER == "wsgibench":
            options.setdefault("binding", binding)
        return running(app, server=SERVER, **options)

    return start

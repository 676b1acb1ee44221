"""pytest: start any application under any server, load it, and gate on it.

    def test_it_answers(wsgi_server):
        server = wsgi_server("myproject.wsgi:application", "waitress")
        assert server.load(connections=8)["classes"]["ok"] > 0

    @pytest.mark.slo(p99="20ms", rate=500)
    def test_it_is_quick(wsgi_server):
        wsgi_server("myproject.wsgi:application")

    def test_it_is_no_slower(wsgi_race):
        race = wsgi_race({"new": "app:new", "old": "app:old"}, starts=5)
        assert race.ratio("new", "old").low < 1.1

    def test_two_pythons(wsgi_race):
        wsgi_race({
            "cpython": Target("app:new", "waitress", requires=("flask",)),
            "pypy": Target("app:new", "waitress", "pypy3", ("flask",)),
        }, requests=["/", "POST /form"])

``slo`` loads every server that the test started, once the test is through.
``--wsgibench-json=FILE`` writes all races for ``pytest-benchmark compare``.
Races are printed at the end, and kept in pytest's cache as records. Under
``-n`` they are measured one at a time; what other tests do meanwhile is a
doubt of the rows.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import zlib
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any, Callable

import pytest

if TYPE_CHECKING:
    from wsgibench.pytesting.race import Race
    from wsgibench.pytesting.server import RunningServer

RUNNING = pytest.StashKey[list[Any]]()
RACES = pytest.StashKey[list[dict[str, Any]]]()
TABLES = pytest.StashKey[list[str]]()

#: Where a worker of pytest-xdist hands its races over.
WORKERS_RACES = "wsgibench_races"
WORKERS_TABLES = "wsgibench_tables"

#: Characters of a record's name, so that a file system takes it.
LONGEST = 180

#: What of an slo mark is not a gate but how to load.
LOAD = ("connections", "duration", "headers", "keepalive", "seed")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("wsgibench")
    group.addoption(
        "--wsgibench-json",
        metavar="FILE",
        help="write races in the form that pytest-benchmark compare reads",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "slo(p99='20ms', rate=500, errors=0, ...): load the servers that the "
        "test starts at this rate, and fail when a gate is missed",
    )
    config.stash[RACES] = []
    config.stash[TABLES] = []
    path = config.getoption("--wsgibench-json")
    if path:
        from wsgibench import outputs
        from wsgibench.errors import UsageError

        try:
            outputs.check(path)
        except UsageError as error:
            raise pytest.UsageError(str(error)) from error


@pytest.fixture
def wsgi_server(
    request: pytest.FixtureRequest,
) -> Iterator[Callable[..., RunningServer]]:
    """wsgi_server(app, server="c-uv", *, python, path, status, body): the
    application ("module:name" or a function of a module) under that server,
    in a process of its own until the test is over."""
    from wsgibench.pytesting.server import RunningServer

    running = request.node.stash.setdefault(RUNNING, [])
    with contextlib.ExitStack() as stack:

        def start(app: Any, server: str = "c-uv", **more: Any) -> Any:
            found = stack.enter_context(RunningServer(app, server, **more))
            running.append(found)
            return found

        yield start


@contextlib.contextmanager
def _alone(config: pytest.Config) -> Iterator[None]:
    """One measurement of a project at a time: under pytest-xdist (``-n 4``)
    two would measure each other. The project's folder is what is locked, so
    nothing is left behind."""
    folder = os.open(config.rootpath, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)  # gives it up


@pytest.fixture
def wsgi_race(request: pytest.FixtureRequest) -> Callable[..., Race]:
    """wsgi_race({name: app or (server, app)}, starts=3, ...): all of them in
    interleaved starts; a Race with costs and ratios."""
    from wsgibench.pytesting import benchmark_json, race

    def run(targets: Any, **more: Any) -> Race:
        with _alone(request.config):
            found = race.run(targets, **more)
        _keep(request, found)
        request.config.stash[RACES].extend(
            benchmark_json.benchmarks(
                request.node.name, request.node.nodeid, found
            )
        )
        return found

    return run


def _keep(request: pytest.FixtureRequest, found: Race) -> None:
    """The record into pytest's cache, the table for the end."""
    from wsgibench.errors import WsgibenchError
    from wsgibench.harness import record
    from wsgibench.reports import table

    text = table.render(found.record)
    cache = request.config.cache
    if cache is not None:
        try:
            path = cache.mkdir("wsgibench") / _file_name(request.node.nodeid)
            record.write(found.record, path)
            text += "record: %s\n" % path
        except (OSError, WsgibenchError) as error:
            # The race is no worse for it.
            text += "no record: %s\n" % error
    request.config.stash[TABLES].append("%s\n%s" % (request.node.nodeid, text))


def _file_name(nodeid: str) -> str:
    """One that a file system takes, and of this test alone."""
    name = re.sub(r"\W+", "-", nodeid).strip("-")[:LONGEST]
    return "%s-%08x.json" % (name, zlib.crc32(nodeid.encode()))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    tables = terminalreporter.config.stash[TABLES]
    if tables:
        terminalreporter.section("races")
        for text in tables:
            terminalreporter.write_line(text)


def _gates(mark: pytest.Mark) -> tuple[str, dict[str, Any]]:
    """(gates in the words of load --slo, how to load)"""
    load = {key: mark.kwargs[key] for key in LOAD if key in mark.kwargs}
    load["rate"] = float(mark.kwargs.get("rate", 0.0))
    gates = [
        "%s=%s" % (key.replace("_", "."), value)
        for key, value in mark.kwargs.items()
        if key not in LOAD and key != "rate"
    ]
    if load["rate"]:
        # Some arrive in the last instant: a Poisson stream, not a clock.
        gates.append("rate=%g" % (0.95 * load["rate"]))
    if "errors" not in mark.kwargs:
        gates.append("errors=0")
    return ",".join(gates), load


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(
    pyfuncitem: pytest.Function,
) -> Generator[None, object, object]:
    outcome = yield
    mark = pyfuncitem.get_closest_marker("slo")
    if mark is not None:
        _hold(pyfuncitem, mark)
    return outcome


def _hold(item: pytest.Function, mark: pytest.Mark) -> None:
    from wsgibench.load import slo

    running = item.stash.get(RUNNING, [])
    if not running:
        pytest.fail("slo: the test started no server with wsgi_server")
    text, load = _gates(mark)
    gates = slo.parse(text)
    for server in running:
        with _alone(item.config):
            result = server.load(**load)
        sentences = slo.missed(gates, result)
        item.user_properties.append(
            ("slo", "%s: %s" % (server.name, json.dumps(result["tail"])))
        )
        if sentences:
            pytest.fail(
                "%s missed its objectives: %s%s"
                % (
                    server.name,
                    "; ".join(sentences),
                    "".join("; " + one for one in result["reasons"]),
                ),
                pytrace=False,
            )


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """pytest-xdist: a worker is done; what it raced comes to us."""
    output = getattr(node, "workeroutput", {})
    node.config.stash[RACES].extend(output.get(WORKERS_RACES, []))
    node.config.stash[TABLES].extend(output.get(WORKERS_TABLES, []))


def pytest_sessionfinish(session: pytest.Session) -> None:
    races = session.config.stash[RACES]
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[WORKERS_RACES] = races
        output[WORKERS_TABLES] = session.config.stash[TABLES]
        return
    path = session.config.getoption("--wsgibench-json")
    if not path:
        return
    from wsgibench import outputs
    from wsgibench.errors import WsgibenchError
    from wsgibench.pytesting import benchmark_json

    found = benchmark_json.document(races)
    try:
        outputs.write(path, json.dumps(found, indent=1))
    except WsgibenchError as error:
        session.config.stash[TABLES].append("%s\n" % error)
        if not session.exitstatus:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

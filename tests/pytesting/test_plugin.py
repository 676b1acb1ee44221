"""The plugin, in a pytest of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

import wsgibench
from wsgibench.errors import UsageError
from wsgibench.pytesting import benchmark_json, server
from wsgibench.pytesting.server import app_name, environment

pytest_plugins = ["pytester"]

HERE = str(Path(wsgibench.__file__).parent.parent)

APP = """
import time

def application(environ, start_response):
    body = environ["PATH_INFO"].encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]

def late(environ, start_response):
    time.sleep(0.05)
    return application(environ, start_response)
"""


@pytest.fixture
def inner(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> pytest.Pytester:
    monkeypatch.setenv("PYTHONPATH", HERE)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makepyfile(some_app=APP)
    return pytester


def run(inner: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return inner.runpytest_subprocess(
        "-p", "wsgibench.pytest_plugin", "-p", "no:benchmark", *arguments
    )


def test_a_server_is_started_loaded_and_gone(inner: pytest.Pytester) -> None:
    inner.makepyfile(
        """
        import os
        import urllib.request

        import pytest
        import some_app

        pids = []

        @pytest.mark.parametrize("server", ["c-uv", "wsgiref"])
        def test_load(wsgi_server, server):
            started = wsgi_server(some_app.application, server, path="/abc")
            with urllib.request.urlopen(started.url) as answer:
                assert answer.read() == b"/abc"
            result = started.load(connections=2, duration=0.3)
            assert result["classes"]["ok"] == result["scheduled"] > 0
            pids.append(started.pid)

        def test_gone():
            assert len(pids) == 2
            for pid in pids:
                with pytest.raises(ProcessLookupError):
                    os.kill(pid, 0)
        """
    )
    run(inner).assert_outcomes(passed=3)


def test_objectives_that_hold_and_that_do_not(inner: pytest.Pytester) -> None:
    inner.makepyfile(
        """
        import pytest

        @pytest.mark.slo(p50="30s", rate=5, duration=2, connections=64)
        def test_holds(wsgi_server):
            wsgi_server("some_app")

        @pytest.mark.slo(p50="40ms", rate=10, duration=1, connections=4)
        def test_late(wsgi_server):
            wsgi_server("some_app:late")

        @pytest.mark.slo(p99="30s", rate=50)
        def test_none():
            pass
        """
    )
    result = run(inner)
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(
        [
            "*c-uv missed its objectives: p50 *ms, 40.000 allowed*",
            "*the test started no server*",
        ]
    )


def test_a_race_is_written_for_pytest_benchmark(
    inner: pytest.Pytester,
) -> None:
    inner.makepyfile(
        """
        import some_app

        def test_race(wsgi_race):
            race = wsgi_race(
                {"plain": some_app.application, "null": ("null", "some_page")},
                starts=2, duration=0.3, warmup=0.1, connections=2, path="/x",
                body=b"/x",
            )
            # Others on the machine may spoil them.
            assert all(len(c["starts"]) == 2 for c in race.record["cells"])
        """
    )
    inner.makepyfile(
        some_page="""
        def application(environ, start_response):
            start_response("200 OK", [("Content-Length", "2")])
            return [b"/x"]
        """
    )
    result = run(inner, "--wsgibench-json=out.json")
    result.assert_outcomes(passed=1)
    written = json.loads((inner.path / "out.json").read_text())
    assert [one["name"] for one in written["benchmarks"]] == [
        "test_race[plain]",
        "test_race[null]",
    ]
    assert all(
        1 <= one["stats"]["rounds"] <= 2 for one in written["benchmarks"]
    )
    compared(inner, "out.json")


def test_races_that_cannot_be_written(inner: pytest.Pytester) -> None:
    inner.makepyfile(
        """
        import pytest
        import some_app

        @pytest.mark.parametrize("x", ["/" * 300])
        def test_race(wsgi_race, x):
            race = wsgi_race(
                {"plain": some_app.application}, starts=1, duration=0.2,
                warmup=0.1, connections=2, path="/x", body=b"/x",
            )
            assert race.record["cells"]
        """
    )
    (inner.path / "some").mkdir()
    result = run(inner, "--wsgibench-json=some")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*cannot write some: it is a folder.*"])
    result = run(inner, "--wsgibench-json=/dev/full")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "*requests/s*",
            "record: *.json",
            "*cannot write /dev/full: No space*",
        ]
    )


def compared(inner: pytest.Pytester, name: str) -> None:
    """By the real thing, where it is installed."""
    pytest.importorskip("pytest_benchmark")
    program = Path(sys.executable).parent / "pytest-benchmark"
    result = inner.run(program, "compare", name)
    assert result.ret == 0, result.stderr.str()
    # Sorted by time, and which is the faster is not the matter here.
    result.stdout.fnmatch_lines_random(
        ["*test_race*null*", "*test_race*plain*"]
    )


def test_stats_agree_with_pytest_benchmark() -> None:
    """Its own class is the oracle for every field it writes."""
    stats = pytest.importorskip("pytest_benchmark.stats")
    data = [3.1, 2.9, 3.3, 3.0, 3.2, 9.0]
    theirs = stats.Stats()
    for value in data:
        theirs.update(value)
    expected: dict[str, Any] = theirs.as_dict()
    ours = benchmark_json._stats(data)
    for name in ("min", "max", "mean", "stddev", "median", "rounds", "total"):
        assert ours[name] == pytest.approx(expected[name]), name
    for name in ("iqr_outliers", "stddev_outliers", "outliers", "ops"):
        assert ours[name] == pytest.approx(expected[name]), name


def test_names_of_applications() -> None:
    assert app_name("a.b") == "a.b:application"
    assert app_name("a:b.c") == "a:b.c"
    assert app_name(app_name).endswith("server:app_name")
    with pytest.raises(ValueError, match="cannot import"):
        app_name(lambda *_: [])


def test_the_own_interpreter_brings_its_path() -> None:
    made = environment("c-uv", None)
    assert HERE in made.libraries


def test_workers_of_xdist_race_one_by_one(
    inner: pytest.Pytester, tmp_path: Path
) -> None:
    pytest.importorskip("xdist")
    out = tmp_path / "races.json"
    times = tmp_path / "times"
    inner.makepyfile(
        """
        import os
        import time

        import pytest
        import some_app
        from wsgibench.pytesting import race

        measured = race.run

        @pytest.fixture(autouse=True)
        def noted(monkeypatch):
            def run(*arguments, **more):
                begun = time.monotonic_ns()
                made = measured(*arguments, **more)
                with open(%r, "a") as file:
                    print(begun, time.monotonic_ns(), file=file)
                return made

            monkeypatch.setattr(race, "run", run)

        @pytest.mark.parametrize("number", range(4))
        def test_race(wsgi_race, number):
            raced = wsgi_race(
                {"one": some_app.application},
                starts=1, duration=0.3, warmup=0.1, connections=2,
            )
            # Its costs others on the machine may spoil.
            assert [len(c["starts"]) for c in raced.record["cells"]] == [1]
        """
        % str(times)
    )
    result = run(inner, "-n", "2", "--wsgibench-json", str(out))
    result.assert_outcomes(passed=4)
    all_of_them = {"test_race[%d]" % number for number in range(4)}
    found = json.loads(out.read_text())["benchmarks"]
    # On a busy machine one may have answered nothing in its time.
    assert {one["group"] for one in found} <= all_of_them
    assert all(name in result.stdout.str() for name in all_of_them)
    spans = sorted(
        tuple(map(int, line.split()))
        for line in times.read_text().splitlines()
    )
    assert len(spans) == 4
    for (_, ended), (begun, _) in zip(spans, spans[1:]):
        assert ended <= begun


def test_entrants_with_requests_under_xdist(inner: pytest.Pytester) -> None:
    """Both processes' races are in the one file, and printed."""
    pytest.importorskip("xdist")
    inner.makepyfile(
        """
        import pytest
        from wsgibench.pytesting.race import Target

        @pytest.mark.parametrize("number", [1, 2])
        def test_race(wsgi_race, number):
            race = wsgi_race(
                {
                    "one": Target("some_app:application"),
                    "two": Target("some_app:application", "wsgiref"),
                },
                requests=["/a", "3 /b"],
                starts=1, duration=1.0, warmup=0.1, connections=2,
            )
            for cell in race.record["cells"]:
                (start,) = cell["starts"]
                assert start["answers"]["differences"] == []
                assert set(start["load"]["routes"]) == {"GET /a", "GET /b"}
        """
    )
    result = run(inner, "-n", "2", "--wsgibench-json=out.json")
    result.assert_outcomes(passed=2)
    written = json.loads((inner.path / "out.json").read_text())
    # On a busy machine an entrant may have answered nothing in its time.
    groups = {one["group"] for one in written["benchmarks"]}
    assert groups == {"test_race[1]", "test_race[2]"}
    result.stdout.fnmatch_lines(["*= races =*", "record: *.json"])


@pytest.mark.parametrize("path", ["", "x", "/a b", "/ü", "/\r\n"])
def test_paths_that_cannot_be_asked_for(path: str) -> None:
    with pytest.raises(UsageError, match="the path: .* is no target"):
        server.scenario("app:application", path, 200, None)

"""Other tools, where they are installed, and what they say, where not."""

from __future__ import annotations

import shutil
from typing import Any, Callable

import pytest

from wsgibench import plugins
from wsgibench.cli import main
from wsgibench.errors import UsageError, WsgibenchError
from wsgibench.load import drivers
from wsgibench.load.output import tool_summary
from wsgibench.load.spec import LoadSpec

Golden = Callable[..., Any]
TOOLS = plugins.names("load/drivers")


def test_the_tools() -> None:
    assert set(TOOLS) >= {"wrk", "ab", "siege", "h2load", "sequential"}


def asked(name: str, url: str, **fields: Any) -> LoadSpec:
    """A short run as this tool can do it."""
    how: dict[str, Any] = {"connections": 4, "duration": 1.0}
    if name in ("wrk", "locust"):
        return LoadSpec(url, **how, **fields)
    how["requests"] = 200
    if name in ("httperf", "sequential"):
        how["connections"] = 1
    return LoadSpec(url, **how, **fields)


@pytest.fixture(params=TOOLS)
def tool(request: pytest.FixtureRequest) -> str:
    program = getattr(drivers.find(request.param), "PROGRAM", "")
    if program and not shutil.which(program):
        pytest.skip("%s is not installed" % program)
    return str(request.param)


def test_a_run(golden: Golden, tool: str) -> None:
    server = golden(body="twelve bytes")
    record = drivers.run(tool, asked(tool, server.url), ())
    account = server.account()
    assert record["tool"] == tool
    ok = record["classes"]["ok"]
    assert sum(record["classes"].values()) == record["scheduled"]
    if tool in ("wrk", "locust"):
        # What it has under way at its end it does not tell.
        assert account["did"]["right"] - 4 <= ok <= account["did"]["right"]
        assert record["tail"]["p99_ns"] > 0
    else:
        assert ok == 200 <= account["did"]["right"]
    assert record["goodput"] > 0
    assert record["duration_s"] > 0
    assert record["client_cpu_us_per_request"] >= 0
    assert record["verdict"] in ("VALID", "SUSPECT")
    assert tool in tool_summary(record)


def test_wrong_answers_do_not_count(golden: Golden, tool: str) -> None:
    server = golden(status_each=2)
    record = drivers.run(tool, asked(tool, server.url), ())
    classes = record["classes"]
    assert classes["bad_status"] > 0
    assert abs(classes["bad_status"] - classes["ok"]) <= 8
    assert record["verdict"] == "INVALID"


def test_without_keepalive(golden: Golden, tool: str) -> None:
    if tool in ("h2load", "sequential"):
        pytest.skip("cannot be asked for, or always so")
    server = golden(close=True)
    record = drivers.run(tool, asked(tool, server.url, keepalive=False), ())
    account = server.account()
    assert account["connections"] >= record["classes"]["ok"] > 0


def test_what_a_tool_cannot_do_is_refused() -> None:
    url = "http://127.0.0.1:1/"
    for name, fields in (
        ("wrk", {"rate": 100.0}),
        ("ab", {"pipeline": 4}),
        ("siege", {"http10": True}),
        ("h2load", {"keepalive": False}),
    ):
        if shutil.which(name):
            with pytest.raises(UsageError, match="cannot do"):
                drivers.run(name, LoadSpec(url, **fields), ())
    with pytest.raises(UsageError, match="there are"):
        drivers.run("wrk9", LoadSpec(url), ())


# -- what they print, kept, for the machines without them

WRK = """Running 2s test @ http://127.0.0.1:8000/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.50ms    2.00ms   1.10s    90.00%
    Req/Sec    55.00k     4.00k   60.00k    70.00%
  Latency Distribution
     50%  900.00us
     75%    1.20ms
     90%    3.10ms
     99%    8.50ms
  110000 requests in 2.00s, 16.30MB read
  Socket errors: connect 1, read 2, write 3, timeout 4
  Non-2xx or 3xx responses: 5
Requests/sec:  55000.50
Transfer/sec:      8.15MB
"""

AB = """This is ApacheBench, Version 2.3 <$Revision: 1923142 $>
Concurrency Level:      10
Time taken for tests:   0.500 seconds
Complete requests:      1000
Failed requests:        7
   (Connect: 1, Receive: 0, Length: 4, Exceptions: 2)
Non-2xx responses:      3
Requests per second:    2000.00 [#/sec] (mean)

Connection Times (ms)
              min  mean[+/-sd] median   max
Connect:        0    0   0.1      0       1
Total:          1    4   1.1      4      20

Percentage of the requests served within a certain time (ms)
  50%      4
  99%     11
 100%     20 (longest request)
"""

WEIGHTTP = """weighttp 0.4 - a simple webserver benchmarking tool

starting benchmark...
spawning thread #1: 10 concurrent requests, 1000 total requests
progress: 100% done

finished in 0 sec, 93 millisec and 211 microsec, 10728 req/s, 22 kbyte/s
requests: 1000 total, 1000 started, 990 done, 985 succeeded, 5 failed, 0 errored
status codes: 980 2xx, 0 3xx, 5 4xx, 0 5xx
"""  # noqa: E501

LOCUST = """[
    {
        "name": "/", "method": "GET", "last_request_timestamp": 102.0,
        "start_time": 100.0, "num_requests": 10, "num_failures": 1,
        "total_response_time": 40.0, "max_response_time": 9.0,
        "response_times": {"3.0": 6, "4.0": 3, "9.0": 1}
    }
]
"""

HTTPERF = """Total: connections 100 requests 100 replies 97 test-duration 0.5 s

Request rate: 200.0 req/s (5.0 ms/req)
Reply time [ms]: response 1.5 transfer 0.1
Reply status: 1xx=0 2xx=90 3xx=0 4xx=0 5xx=7

Errors: total 3 client-timo 1 socket-timo 0 connrefused 0 connreset 2
"""


def said(name: str, text: str) -> drivers.Said:
    parsed: drivers.Said = drivers.find(name).parse(
        text, LoadSpec("http://127.0.0.1/")
    )
    return parsed


def test_wrk_text() -> None:
    found = said("wrk", WRK)
    assert found.classes == {
        "ok": 109_995,
        "bad_status": 5,
        "refused": 1,
        "reset": 5,
        "timeout": 4,
    }
    assert found.times["p50_ns"] == 900_000
    assert found.times["max_ns"] == 1_100_000_000
    assert found.rate == 55000.5


def test_ab_text() -> None:
    found = said("ab", AB)
    assert found.version == "2.3"
    assert found.times["p99_ns"] == 11e6
    assert found.times["mean_ns"] == 4e6
    assert found.classes == {
        "ok": 990,
        "bad_status": 3,
        "bad_body": 4,
        "refused": 1,
        "early_eof": 2,
    }


def test_httperf_text() -> None:
    found = said("httperf", HTTPERF)
    assert found.classes == {
        "ok": 90,
        "bad_status": 7,
        "timeout": 1,
        "reset": 2,
        "refused": 0,
        "in_flight": 0,
    }


def test_weighttp_text() -> None:
    found = said("weighttp", WEIGHTTP)
    assert found.version == "0.4"
    assert (found.rate, found.seconds) == (10728, 0.093211)
    assert found.classes == {
        "ok": 980,
        "bad_status": 5,
        "early_eof": 5,
        "unsent": 10,
    }


def test_locust_in_a_cache_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setenv("WSGIBENCH_CACHE", "/dev/null/x")
    with pytest.raises(
        WsgibenchError, match="cache directory /dev/null/x: Not a directory"
    ):
        drivers.find("locust").program()


def test_locust_text() -> None:
    found = said("locust", LOCUST)
    assert found.classes == {"ok": 9, "bad_status": 1}
    assert (found.rate, found.seconds) == (5, 2.0)
    assert found.times["p50_ns"] == 3e6
    assert found.times["p90_ns"] == 4e6
    assert found.times["p99_ns"] == 9e6


@pytest.mark.parametrize(
    "fields",
    [
        {"headers": "proxied"},
        {"extra_headers": (("X-Id", "{random:8}"),)},
        {"url": "http://127.0.0.1:1/{seq}"},
    ],
)
def test_a_tool_fills_in_no_templates(fields: dict[str, Any]) -> None:
    spec = LoadSpec(**{"url": "http://127.0.0.1:1/", **fields})
    with pytest.raises(UsageError, match="templates"):
        drivers.check(drivers.find("wrk"), "wrk", spec)


def test_gates_hold_a_tool_too(golden: Golden) -> None:
    if not shutil.which("wrk"):
        pytest.skip("wrk is not installed")
    run = ["load", golden().url, "--tool", "wrk", "-d", "1", "-q", "--slo"]
    assert main([*run, "p99=30s,rate=1"]) == 0
    assert main([*run, "p99=1ns"]) == 3
    assert main([*run, "p99.9=30s"]) == 3  # it does not tell

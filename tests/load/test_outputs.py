"""What the command writes, where to, and what it exits with."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, Callable

import pytest

from wsgibench.cli import main
from wsgibench.commands import load as command
from wsgibench.errors import UsageError
from wsgibench.load import options, output, slo, stall, values, wire
from wsgibench.load.headers import header_set
from wsgibench.load.message import message
from wsgibench.load.render import render
from wsgibench.load.spec import Entry, LoadSpec
from wsgibench.load.target import parse_target
from wsgibench.load.templates import Book
from wsgibench.load.urls import read_list
from wsgibench.services._process import free_port

Golden = Callable[..., Any]
COMMAND = [sys.executable, "-m", "wsgibench", "load"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def start(*words: str, **more: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*COMMAND, *words], env=ENVIRONMENT, **more)


# -- files


def test_json_to_standard_output(
    golden: Golden, capsys: pytest.CaptureFixture[str]
) -> None:
    url = golden().url
    assert main(["load", url, "-n", "5", "--json", "-"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["classes"]["ok"] == 5
    assert "5 answered" in said.err
    assert not Path("-").exists()


def test_a_sweep_to_standard_output(
    golden: Golden, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["load", golden().url, "--sweep", "1,2", "-d", "0.2", "--json", "-"])
    points = json.loads(capsys.readouterr().out)["points"]
    assert [p["arithmetic"]["connections"] for p in points] == [1, 2]


@pytest.mark.parametrize("option", ["--json", "--windows", "--spectrum"])
@pytest.mark.parametrize("path", ["/nowhere/at/all", "{}"])
def test_unwritable_is_told_before_the_run(
    golden: Golden,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    option: str,
    path: str,
) -> None:
    server = golden()
    where = path.format(tmp_path)
    assert main(["load", server.url, "-n", "5", option, where]) == 2
    assert "cannot write" in capsys.readouterr().err
    assert server.account()["requests"] == 0


@pytest.mark.parametrize("more", [[], ["--sweep", "1,2"]])
def test_a_full_disk_loses_no_result(
    golden: Golden,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
) -> None:
    """What cannot be written is said; the rest is written, and shown."""
    out = tmp_path / "windows"
    words = ["--json", "/dev/full", "--windows", str(out), *more]
    words += ["--live", "/dev/full"]
    assert main(["load", golden().url, "-n", "5", *words]) == 1
    said = capsys.readouterr()
    assert said.out.count("5 answered") == len(more or [1])
    assert said.err.count("\n") == 1
    assert "No space left" in said.err
    if not more:
        assert json.loads(out.read_text().split("\n")[0])["ok"] == 5


def test_a_pipe_that_breaks_loses_no_result(
    golden: Golden, tmp_path: Path
) -> None:
    out = tmp_path / "out.json"
    read, write = os.pipe()
    os.close(read)
    process = start(
        *(golden().url, "-n", "20", "--json", str(out)), stdout=write
    )
    os.close(write)
    assert process.wait(30) == 128 + signal.SIGPIPE
    assert json.loads(out.read_text())["classes"]["ok"] == 20


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "0<&- 1>&-", "2>&-"])
@pytest.mark.parametrize("processes", ["1", "2"])
def test_closed_standard_streams(
    golden: Golden, tmp_path: Path, closed: str, processes: str
) -> None:
    out = tmp_path / "out.json"
    words = [*COMMAND, golden().url, "-n", "20", "-c", "2"]
    words += ["--processes", processes, "--json", str(out)]
    shell = 'exec "$@" ' + closed
    done = subprocess.run(
        ["sh", "-c", shell, "sh", *words], env=ENVIRONMENT, timeout=60
    )
    assert done.returncode == 0
    assert json.loads(out.read_text())["classes"]["ok"] == 20


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("processes", ["1", "2"])
def test_an_ended_run_keeps_what_there_is(
    golden: Golden, tmp_path: Path, number: int, processes: str
) -> None:
    out, live = tmp_path / "out.json", tmp_path / "live"
    process = start(
        *(golden().url, "-d", "60", "-c", "2", "--processes", processes),
        *("--json", str(out), "--live", str(live)),
        stdout=subprocess.DEVNULL,
    )
    end = time.monotonic() + 30
    while not (live.exists() and answered(live)):
        assert time.monotonic() < end
        time.sleep(0.05)
    process.send_signal(number)
    assert process.wait(30) == 0
    result = json.loads(out.read_text())
    assert result["interrupted"]
    assert result["classes"]["ok"] > 0


def answered(live: Path) -> bool:
    """Whether some whole line of it has right answers."""
    lines = live.read_text().split("\n")[:-1]
    return any(json.loads(line)["ok"] for line in lines)


def test_live_figures_for_prometheus(golden: Golden) -> None:
    port = free_port()
    process = start(
        *(golden().url, "-d", "30", "--prometheus", ":%d" % port),
        stdout=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 30
        text = ""
        while "wsgibench_load_ok_total 0\n" in text or not text:
            assert time.monotonic() < end
            try:
                url = "http://127.0.0.1:%d/metrics" % port
                text = urllib.request.urlopen(url, timeout=5).read().decode()
            except OSError:
                time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
    lines = [line for line in text.splitlines() if line[0] != "#"]
    numbers = {line.split()[0]: float(line.split()[1]) for line in lines}
    assert numbers["wsgibench_load_ok_total"] > 0
    assert numbers["wsgibench_load_connections"] == 1
    assert text.count("# TYPE") == len(lines)


def test_a_spectrum(golden: Golden, tmp_path: Path) -> None:
    path = tmp_path / "spectrum"
    url = golden(delay_each=2, delay=0.05).url
    main(["load", url, "-n", "40", "-q", "--spectrum", str(path)])
    rows = [
        line.split()
        for line in path.read_text().splitlines()[1:]
        if line[0] != "#"
    ]
    assert [int(row[2]) for row in rows] == sorted(int(r[2]) for r in rows)
    assert int(rows[-1][2]) == 40
    assert float(rows[-1][0]) >= 50  # milliseconds
    for value, share, seen, *inverse in rows:
        assert float(share) == pytest.approx(int(seen) / 40)
        if inverse:
            assert float(inverse[0]) == pytest.approx(
                1 / (1 - float(share)), rel=0.01
            )
        assert float(value) >= 0


def test_percentiles_of_ones_own(
    golden: Golden, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ["--percentiles", "12.5,p99.95", "--slo", "p97=10s,mean=10s"]
    run = ["load", golden().url, "-n", "50", "--json", str(out), *words]
    assert main(run) == 0
    result = json.loads(out.read_text())
    for name in ("p12.5_ns", "p95_ns", "p97_ns", "p99.95_ns", "mean_ns"):
        assert result["tail"][name] > 0
        assert result["service"][name] > 0
    text = capsys.readouterr().out
    for word in ("p12.5 ", "p95 ", "p99.95 ", "mean ", "B/s in"):
        assert word in text


# -- a sweep


def test_a_sweep_holds_gates_and_writes_windows(
    golden: Golden, tmp_path: Path
) -> None:
    rows = tmp_path / "rows"
    run = ["load", golden().url, "--sweep", "1,2", "-d", "0.3", "-q"]
    assert main([*run, "--slo", "max=0.001ns"]) == 3
    assert main([*run, "--slo", "max=60s", "--windows", str(rows)]) == 0
    windows = [json.loads(line) for line in rows.read_text().splitlines()]
    assert {window["connections"] for window in windows} == {1, 2}


# -- rates and times


@pytest.mark.parametrize("text", ["0:100", "100:0", "5:6"])
def test_a_ramp_needs_a_duration(
    capsys: pytest.CaptureFixture[str], text: str
) -> None:
    run = ["load", "http://127.0.0.1:1/", "-n", "5", "--rate", text]
    assert main(run) == 2
    assert "-d" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["--timeout", "-1"],
        ["--timeout", "0"],
        ["--drain", "-1"],
        ["-d", "nan"],
        ["-d", "-5"],
        ["--rate", "nan"],
        ["--rate", "-5"],
        ["--rate", "5:-5", "-d", "1"],
        ["--stages", "10s"],
        ["--stages", "0:5"],
        ["--steps", "5s:0"],
        ["--stages", "1s:5", "-d", "3"],
        ["--stages", "1s:5", "--steps", "1s:5"],
        ["--think", "2:1"],
        ["--think", "1", "--rate", "5"],
        ["--think", "1", "--pipeline", "2"],
        ["--expect-status", "abc"],
        ["--expect-status", "99"],
        ["--percentiles", "101"],
        ["-H", "no colon"],
        ["-H", "sp ace: 1"],
        ["-H", "X: a\nb"],
        ["-m", "G T"],
        ["--seed", "-1"],
        ["--per-connection", "-1"],
        ["--connect-rate", "-1"],
        ["--connect-to", "nowhere"],
        ["--resolve", "127.0.0.1:1"],
        ["--slow-send=-1:1"],
        ["--prometheus", "nonsense"],
        ["-b", "x", "--body-file", "y"],
        ["-b", "@/nowhere"],
        ["--slo", "p50"],
        ["--cpu", "-1"],
        ["--cpu", "0-x"],
        ["--source", "::1"],
        ["--pipeline", "100000"],
        ["--tls-key", "key.pem"],
        ["--think", "1", "--stages", "1s:5"],
    ],
)
def test_nonsense_is_one_sentence(
    capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert main(["load", "http://127.0.0.1:1/", "-n", "1", *words]) == 2
    said = capsys.readouterr().err
    assert said.startswith("wsgibench: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1/",
        "http://127.0.0.1:99999/",
        "http://a..b/",
        "http://" + "x" * 300 + "/",
        "http://\udcff/",
        "http:///path",
        "http://127.0.0.1:0/",
        "unix:",
        "unix:/" + "x" * 107,
    ],
)
def test_what_is_no_url_is_one_sentence(
    capsys: pytest.CaptureFixture[str], url: str
) -> None:
    assert main(["load", url, "-n", "1"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_letters_of_other_tools() -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    words = "-c 3 -d 2s -n 7 -t 1 -H a:b -m put -b text -q -R 5 http://h/"
    asked = parser.parse_args(words.split())
    assert (asked.connections, asked.requests, asked.processes) == (3, 7, 1)
    assert (asked.method, asked.body, asked.pace) == (
        "PUT",
        b"text",
        (5, None),
    )
    assert asked.quiet
    assert asked.duration == 2
    assert "%" in parser.format_help()


#: Fields of LoadSpec that programs set, and no option.
OF_PROGRAMS = {"entries", "visitors", "part", "parts", "start_ns"}


def test_every_field_of_a_load_has_an_option() -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    said = parser.parse_args(["http://h/"])
    assert options.given(said) == {"url": "http://h/"}  # no second defaults
    words = "-R 1:2 --arrivals constant --steps 1s:5 -H a:b -u a:b -L "
    words += "--slow-send 1:2 --slow-read 3:4 -b x @load.json"
    dests = {action.dest for action in parser._actions}
    with pytest.raises(UsageError, match="no -d, no -R"):
        options.spec(parser.parse_args(words.split()))
    said = parser.parse_args(words.replace("--steps 1s:5", "").split())
    fields = {one.name for one in dataclasses.fields(LoadSpec)}
    assert fields - dests - set(options.given(said)) == OF_PROGRAMS


def test_a_load_from_a_file(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    entry = Entry("/a", "POST", body=b"\xff", expect_status=(201, 204))
    made = LoadSpec("http://h/", connections=8, rate=9.5, entries=(entry,))
    file = tmp_path / "load.json"
    file.write_text(json.dumps(wire.to_json(made)))
    at = "@%s" % file
    assert options.spec(parser.parse_args([at])) == made
    more = options.spec(parser.parse_args([at, "-c", "2", "-R", "5"]))
    assert more == dataclasses.replace(made, connections=2, rate=5.0)
    for text in ("[", "[]", '{"connections": 1}', '{"url": "x", "what": 1}'):
        file.write_text(text)
        with pytest.raises(UsageError):
            options.spec(parser.parse_args([at]))
    with pytest.raises(UsageError, match="cannot read"):
        options.spec(parser.parse_args(["@%s" % tmp_path]))


def test_values() -> None:
    assert values.seconds("1.5m") == 90
    assert values.seconds("200ms") == 0.2
    assert values.statuses("200,204") == (200, 204)
    assert values.statuses("0") == ()
    assert len(values.statuses("2xx,404")) == 101
    assert values.stages("1s:5,2s:0") == ((1, 0, 5), (2, 5, 0))
    assert values.steps("1s:5,2s:7") == ((1, 5, 5), (2, 7, 7))
    assert values.think("1s:2s") == (1, 2)
    assert values.think("500ms") == (0.5, 0.5)


# -- what is sent


def sent(spec: LoadSpec, entry: Entry | None = None) -> str:
    target = spec.target()
    book = Book()
    made = message(spec, entry or Entry(target.path), target, book)
    return book.sample(made).decode("utf-8")


def test_a_url_is_encoded() -> None:
    for url, line in (
        ("http://127.0.0.1/ä b?q=ü x#frag", "/%C3%A4%20b?q=%C3%BC%20x"),
        ("http://127.0.0.1/a%20b?c=%C3", "/a%20b?c=%C3"),
        ("http://127.0.0.1/[x]{y}|z?a'b", "/[x]{y}|z?a'b"),
        ("http://127.0.0.1?x=1", "/?x=1"),
        ("http://127.0.0.1", "/"),
    ):
        assert sent(LoadSpec(url)).startswith("GET %s HTTP/1.1\r\n" % line)
    target = parse_target("http://127.0.0.1:81/", "", ())
    assert target.authority == "127.0.0.1:81"
    rule = ("xn--bcher-kva.example:80:127.0.0.1",)
    book = parse_target("http://Bücher.example/", "127.0.0.1:80", rule)
    assert book.authority == "xn--bcher-kva.example"


def test_credentials_are_sent() -> None:
    line = "\r\nAuthorization: Basic YTpiOmM=\r\n"
    assert line in sent(LoadSpec("http://a:b%3Ac@127.0.0.1/"))
    assert "a:b" not in sent(LoadSpec("http://a:b%3Ac@127.0.0.1/"))
    own = (("authorization", "Bearer x"),)
    text = sent(LoadSpec("http://a:b@127.0.0.1/", extra_headers=own))
    assert text.count("uthorization") == 1


def test_a_header_replaces_one_of_that_name() -> None:
    spec = LoadSpec(
        "http://127.0.0.1/",
        headers="browser",
        method="POST",
        body=b"four",
        extra_headers=(
            ("user-agent", "ours"),
            ("X-Two", "1"),
            ("X-Two", "2"),
            ("content-length", "4"),
            ("X-Ünicode".replace("Ü", "U"), "grün"),
        ),
    )
    text = sent(spec, Entry("/", "POST"))
    lowered = text.lower()
    assert lowered.count("\r\nuser-agent:") == 1
    assert lowered.count("\r\ncontent-length:") == 1
    assert text.count("X-Two: ") == 2
    assert "grün" in text
    assert header_set("browser")  # and the set itself is as it was
    assert "Mozilla" in sent(LoadSpec("http://127.0.0.1/", headers="browser"))


def test_headers_and_bodies_by_line(tmp_path: Path) -> None:
    body = tmp_path / "body"
    body.write_bytes(b"\x00{seq}")
    path = tmp_path / "urls"
    path.write_text(
        "# all\n3 GET /a\n  X-One: {random:4}\n  # no header\n"
        "POST /b?x=1#y # behind a blank\n\tContent-Type: text/plain\n"
        "  = hello {seq}\nPUT /c\n  @%s\n" % body
    )
    first, second, third = read_list(str(path), "GET")
    assert first == Entry("/a", headers=(("X-One", "{random:4}"),), weight=3)
    assert second.target.startswith("/b?x=1")
    assert second.headers == (("Content-Type", "text/plain"),)
    assert second.body == b"hello {seq}"
    assert third.body == b"\x00{seq}"
    rendered = render(LoadSpec("http://127.0.0.1/", url_list=str(path)))
    assert [len(one.pieces) > 1 for one in rendered.requests] == [True] * 3
    path.write_text("/a\n  nonsense\n")
    with pytest.raises(UsageError):
        read_list(str(path), "GET")


# -- gates


def result(**changes: Any) -> dict[str, Any]:
    times = {"count": 500, "p50_ns": 1e6, "p90_ns": 1e6, "p99_ns": 2e6}
    made: dict[str, Any] = {
        "tool": "wsgibench",
        "asked": {"mean_rate": 100.0},
        "classes": {"ok": 499},
        "scheduled": 499,
        "ok_in_time": 499,
        "goodput": 99.8,
        "duration_s": 5.0,
        "duration_ns": 5e9,
        "tail": times,
        "service": times,
        "lag": {"p99_ns": 0},
        "windows": [],
        "interrupted": False,
        "verdict": "VALID",
    }
    return {**made, **changes}


def missed(text: str, **changes: Any) -> list[str]:
    return slo.missed(slo.parse(text), result(**changes))


def test_a_rate_that_is_asked_for_can_be_reached() -> None:
    assert missed("rate=100") == []
    assert missed("rate=101.5")
    # A Poisson process came to 430 arrivals, all answered.
    low = {"scheduled": 430, "ok_in_time": 430, "classes": {"ok": 430}}
    assert missed("rate=100", **low, goodput=86.0) == []
    # What was on its way at the end and came at once.
    end = {"scheduled": 500, "ok_in_time": 499, "classes": {"ok": 500}}
    assert missed("rate=100", **end) == []
    # A queue that was answered in the drain is no rate.
    queue = {"scheduled": 500, "ok_in_time": 300, "classes": {"ok": 500}}
    assert missed("rate=100", **queue, goodput=60.0)
    closed = {"asked": {"mean_rate": 0}, "goodput": 99.0}
    assert missed("rate=100", **closed)


def test_errors_as_a_share() -> None:
    some = {"scheduled": 10_000, "classes": {"ok": 9_990}}
    assert missed("errors=0.1%", **some) == []
    assert missed("errors=0.09%", **some)
    assert missed("errors=10", **some) == []
    assert missed("errors=9", **some)


def windows(*answers: int) -> list[dict[str, Any]]:
    return [
        {
            "start_ns": i * 10**8,
            "end_ns": (i + 1) * 10**8,
            "ok": n,
            "failed": 0,
        }
        for i, n in enumerate(answers)
    ]


def test_a_closed_loop_that_stood_still_passes_no_percentile() -> None:
    rows = windows(*[100] * 20, *[0] * 15, *[100] * 15)
    closed = {"asked": {"mean_rate": 0}, "windows": rows}
    assert stall.longest_ns({"windows": rows}) == 15 * 10**8
    sentences = missed("p99=50ms", **closed)
    assert len(sentences) == 1
    assert "1.5 s" in sentences[0]
    assert missed("p50=50ms", **closed) == []  # it moved most of the time
    assert missed("p99=2s", **closed) == []
    # One that needs a second for each answer does not stand still.
    slow = {"p90_ns": 1e9, "p99_ns": 1e9, "p50_ns": 1e9, "count": 5}
    assert missed("p99=1.1s", **closed, service=slow, tail=slow) == []
    assert missed("p99=50ms", windows=rows) == []  # an open loop counts


def test_the_clients_lateness_is_told_apart() -> None:
    late = {"count": 500, "p50_ns": 1e6, "p99_ns": 80e6}
    gates = slo.parse("p99=20ms")
    ours = result(tail=late, lag={"p99_ns": 70e6})
    assert slo.missed(gates, ours)
    assert "client" in slo.clients_doing(gates, ours)
    slow = result(tail=late, service=late, lag={"p99_ns": 70e6})
    assert slo.clients_doing(gates, slow) == ""
    prompt = result(tail=late, lag={"p99_ns": 1e5})
    assert slo.clients_doing(gates, prompt) == ""
    both = slo.parse("p99=20ms,errors=0")
    failed = {**ours, "scheduled": 600}
    assert slo.clients_doing(both, failed) == ""


def test_a_closed_loop_that_stands_still_says_so(golden: Golden) -> None:
    url = golden(stall_at=20, stall=1.6).url
    run = ["load", url, "-c", "2", "-d", "3", "-q", "--timeout", "9"]
    assert main([*run, "--slo", "p99=50ms"]) == 3


def test_an_open_loop_that_is_hardly_answered_is_no_measurement(
    golden: Golden, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run = ["load", golden().url, "-c", "2", "-d", "1", "-q", "--drain", "0"]
    assert main([*run, "--rate", "20000000", "--json", str(out)]) == 1
    reasons = json.loads(out.read_text())["reasons"]
    assert any("were due were answered" in reason for reason in reasons)


def test_failures_only_are_lower_bounds(
    golden: Golden, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["load", golden(status_each=1).url, "-n", "20"])
    text = capsys.readouterr().out
    assert "p50 >= " in text
    assert "p50 0 ns" not in text
    assert "status 503: 20" in text


def test_nothing_answered_has_no_times() -> None:
    assert output._times("x", {"count": 0}) == "x: none, nothing was answered"


# -- a result again


@pytest.mark.parametrize(
    "words", [["-n", "30"], ["--sweep", "1,2", "-n", "9"]]
)
def test_a_report_of_a_result(
    golden: Golden,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
) -> None:
    import csv

    path, page = tmp_path / "r.json", tmp_path / "r.md"
    url = golden(status_each=9).url
    main(["load", url, "-q", *words, "--json", str(path)])
    capsys.readouterr()
    assert main(["report", str(path)]) == 0
    text = capsys.readouterr().out
    assert "response time" in text
    assert "1 connections, closed loop" in text
    assert main(["report", str(path), "--format", "csv"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    counts = [row["connections"] for row in rows]
    assert counts == (["1"] if words[0] == "-n" else ["1", "2"])
    assert all(int(row["p50_ns"]) > 0 for row in rows)
    assert main(["report", str(path), "-o", str(page)]) == 0
    lines = page.read_text().splitlines()
    assert len([line for line in lines if line[0:1] == "|"]) == 2 + len(rows)
    assert ">= " in page.read_text()  # the failures
    assert main(["report", str(path), "--format", "html"]) == 2

"""What the command writes, where to, and what it exits with."""

from __future__ import annotations

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
from wsgibench.load import live
from wsgibench.services._process import free_port

Golden = Callable[..., Any]
COMMAND = [sys.executable, "-m", "wsgibench", "load"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def start(*words: str, **more: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*COMMAND, *words], env=ENVIRONMENT, **more)


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


@pytest.mark.parametrize(
    ("number", "processes"),
    [
        (signal.SIGTERM, "1"),
        (signal.SIGHUP, "1"),
        (signal.SIGHUP, "2"),
        (signal.SIGINT, "2"),
    ],
)
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


def test_what_the_others_measured_is_kept_when_a_process_dies(
    golden: Golden, tmp_path: Path
) -> None:
    out, figures = tmp_path / "out.json", tmp_path / "live"
    process = start(
        *(golden().url, "-d", "4", "-c", "2", "--processes", "2"),
        *("--json", str(out), "--live", str(figures)),
        stdout=subprocess.DEVNULL,
    )
    end = time.monotonic() + 30
    while not (figures.exists() and answered(figures)):
        assert time.monotonic() < end
        time.sleep(0.05)
    task = Path("/proc/%d/task/%d" % (process.pid, process.pid))
    os.kill(int((task / "children").read_text().split()[0]), signal.SIGKILL)
    assert process.wait(30) == 1
    result = json.loads(out.read_text())
    assert result["classes"]["ok"] > 0
    assert any("1 of 2 processes died" in one for one in result["reasons"])


def answered(live: Path) -> bool:
    """Whether some whole line of it has right answers."""
    lines = live.read_text().split("\n")[:-1]
    return any(json.loads(line)["ok"] for line in lines)


def test_figures_of_a_sweep_go_on(
    golden: Golden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One file, for all of its runs; processes as its points need them."""
    monkeypatch.setattr(live, "EACH_NS", 1)
    path = tmp_path / "live"
    words = ["--sweep", "2,3", "-d", "0.5", "-t", "2", "-q"]
    main(["load", golden().url, *words, "--live", str(path)])
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    times = [row["elapsed_ns"] for row in rows]
    assert {2, 3} <= {row["connected"] for row in rows}
    assert times != sorted(times)  # it begins again


def test_live_figures_for_prometheus(golden: Golden) -> None:
    port = free_port()
    process = start(
        *(golden().url, "-d", "30", "--prometheus", "[::1]:%d" % port),
        stdout=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 30
        text = ""
        while "wsgibench_load_ok_total 0\n" in text or not text:
            assert time.monotonic() < end
            try:
                url = "http://[::1]:%d/metrics" % port
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

"""``run`` and ``list`` as a user calls them."""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.stats import synthetic
from wsgibench.commands.run import exit_code
from wsgibench.harness.process import open_socket


def wsgibench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wsgibench", *arguments],
        capture_output=True,
        text=True,
        timeout=100,
    )


def race(output: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    common = ["--duration=0.3", "--warmup=0.1", "--connections=2"]
    return wsgibench("run", *common, "-o", str(output), *arguments)


def test_who_reads_no_further_gets_no_traceback() -> None:
    """As in `list --markdown | head`."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "wsgibench", "list", "--markdown"],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=100,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_target_that_stays_until_ctrl_c() -> None:
    words = ["-m", "wsgibench", "target", "raw-threads", "hello"]
    with subprocess.Popen(
        [sys.executable, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with urllib.request.urlopen(url, timeout=60) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


def test_names_without_meaning(tmp_path: Path) -> None:
    """The other cells finish."""
    output = tmp_path / "record.json"
    done = race(output, "--server=raw-threads,nobody", "--python=python3,9.9")
    assert done.returncode == 1, done.stderr
    assert "there is no server 'nobody'" in done.stderr
    assert "there is no interpreter '9.9'" in done.stderr
    record = json.loads(output.read_text())
    assert record["complete"]
    (cell,) = record["cells"]
    assert cell["starts"][0]["load"]["classes"]["ok"] > 0
    assert len(record["failures"]) == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--server=nobody"], "there is no server 'nobody'; there are: "),
        (["--python=9.9"], "there is no interpreter '9.9'; give "),
        (["--scenario=nothing"], "there is no scenario 'nothing'; there "),
        (["--suite=nothing"], "there is no suite 'nothing'; there are: "),
        (["--server=c-uv:x=1"], "c-uv has no option 'x'; it has: threads"),
    ],
)
def test_nothing_that_has_a_meaning(
    tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    done = race(tmp_path / "record.json", *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("wsgibench: " + sentence)
    assert len(done.stderr.splitlines()) == 1


def test_a_busy_port_fails_its_cells(tmp_path: Path) -> None:
    with open_socket("127.0.0.1", 0, 5) as taken:
        port = "--port=%d" % taken.getsockname()[1]
        done = race(tmp_path / "record.json", "--server=raw-threads", port)
    assert done.returncode == 1
    assert "Address already in use; stop what uses the port" in done.stderr


def test_a_hole_is_skipped_and_the_rest_runs(tmp_path: Path) -> None:
    output = tmp_path / "record.json"
    done = race(output, "--server=raw-threads", "--scenario=hello,flask")
    # On a machine that others use its row may be INVALID, by right.
    record = json.loads(output.read_text())
    code = exit_code(record, argparse.Namespace(accept_disturbed=False))
    assert done.returncode == code, done.stderr
    (hole,) = record["skipped"]
    reason = "raw-threads runs no WSGI application, so no flask."
    assert hole["reason"] == reason
    assert reason in done.stdout


def collected() -> dict[str, list[dict[str, Any]]]:
    done = wsgibench("list", "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, list[dict[str, Any]]] = json.loads(done.stdout)
    return found


def test_list_fits_a_screen() -> None:
    done = wsgibench("list")
    lines = done.stdout.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    everything = wsgibench("list", "--all")
    assert len(everything.stdout.splitlines()) > 60
    for name in ("c-uv", "waitress", "hello", "syncless"):
        assert name in done.stdout
        assert name in everything.stdout


def test_version() -> None:
    done = wsgibench("--version")
    assert done.returncode == 0
    assert re.fullmatch(r"wsgibench \d+\.\d+\S*\n", done.stdout)


def test_list_as_json() -> None:
    found = collected()
    keys = {"servers", "interpreters", "scenarios", "services", "suites"}
    assert set(found) == keys
    for rows in found.values():
        assert rows
        assert all(isinstance(row["name"], str) for row in rows)
    labels = {
        "%(implementation)s %(version)s" % i for i in found["interpreters"]
    }
    for server in found["servers"]:
        assert set(server["runs"]) == labels
        # Runs there or says why not.
        for label, runs in server["runs"].items():
            assert runs == (label not in server["holes"])


WITHOUT = """
import sys
for name in sys.argv[1].split(","):
    sys.modules[name] = None  # an import of it fails
from wsgibench import cli
sys.exit(cli.main(sys.argv[2:]))
"""


@pytest.mark.parametrize(
    "command", ["run --server=c-uv", "list", "report x.json"]
)
def test_without_the_harness_packages_one_sentence_says_so(
    command: str, tmp_path: Path
) -> None:
    from wsgibench.cli import HARNESS

    found = synthetic.race({"null": 5.0, "c-uv": 6.0}, seed=1)
    (tmp_path / "x.json").write_text(json.dumps(found))
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, ",".join(HARNESS), *command.split()],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert "pip install 'wsgibench[bench]'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_every_package_of_the_extra_is_known_by_its_module() -> None:
    from importlib import metadata

    from wsgibench.cli import HARNESS

    try:
        requires = metadata.requires("wsgibench") or []
    except metadata.PackageNotFoundError:
        pytest.skip("wsgibench is not installed here, but on the path")
    extra = {
        re.split(r"[^\w-]", text)[0].replace("-", "_")
        for text in requires
        if 'extra == "bench"' in text.replace("'", '"')
    }
    assert extra == set(HARNESS)

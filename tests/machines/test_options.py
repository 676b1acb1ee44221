"""No option beside --workers or --load-workers is ignored silently: it comes
to the workers, is obeyed here, or is refused."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import types
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from wsgibench.cli import main
from wsgibench.errors import UsageError, WsgibenchError
from wsgibench.harness import client
from wsgibench.load import wire
from wsgibench.load.spec import LoadSpec

#: Of each option of ``load``, by its destination.
EXAMPLES = {
    "connections": "-c 9",
    "duration": "-d 7",
    "requests": "-n 40",
    "pace": "-R 50",
    "stages": "--stages 1s:5",
    "steps": "--steps 1s:5",
    "arrivals": "--arrivals constant",
    "think": "--think 0.1",
    "seed": "--seed 9",
    "keepalive": "--no-keepalive",
    "per_connection": "--per-connection 3",
    "pipeline": "--pipeline 2",
    "connect_rate": "--connect-rate 5",
    "sweep": "--sweep 1..4",
    "headers": "--headers browser",
    "header": "-H A:b",
    "http10": "--http10",
    "method": "-m DELETE",
    "body": "-b x",
    "body_file": "--body-file FILE",
    "chunk": "--chunk 5 -b 1234567890",
    "url_list": "--urls FILE",
    "user": "-u a:b",
    "follow": "-L",
    "max_redirects": "--max-redirects 2",
    "cookies": "--cookies",
    "slow_send": "--slow-send 1:0.1",
    "slow_read": "--slow-read 1:0.1",
    "expect_status": "--expect-status 204",
    "expect_body": "--expect-body-file FILE",
    "expect_length": "--expect-length 5",
    "learn": "--learn",
    "connect_to": "--connect-to 127.0.0.1:8",
    "resolve": "--resolve a:1:127.0.0.1",
    "tls_ca": "--tls-ca FILE",
    "tls_cert": "--tls-cert FILE",
    "tls_key": "--tls-key FILE --tls-cert FILE",
    "tls_name": "--tls-name a",
    "tls_resume": "--tls-resume",
    "timeout": "--timeout 9",
    "drain": "--drain 9",
    "window": "--window 1",
    "source": "--source 127.0.0.1",
    "sources": "--sources 2 --source 127.0.0.1",
    "processes": "-t 2",
    "workers": "--workers 3",
    "bind": "--bind *:5600",
    "worker_command": "--worker-command x",
    "ssh": "--ssh x",
    "cpu": "--cpu 0",
    "json": "--json OUT",
    "windows": "--windows OUT",
    "spectrum": "--spectrum OUT",
    "percentiles": "--percentiles 95",
    "live": "--live OUT",
    "prometheus": "--prometheus 127.0.0.1:0",
    "slo": "--slo p99=1s",
    "latency": "--latency",
    "quiet": "-q",
    "steered_by": "--steered-by 3",
    "tool": "--tool wrk",
}
SUITE = """
about = "with another tool"
source = "this test"
[loads.steady]
connections = 2
tool = "wrk"
[[matrix]]
servers = ["null"]
scenarios = ["hello"]
loads = ["steady"]
"""
#: What is done with the result, on this side.
OUTPUT = {
    *("json", "windows", "spectrum", "live", "prometheus", "slo"),
    *("latency", "quiet"),
}


class Reached(WsgibenchError):
    pass


def options(command: str) -> set[str]:
    parser = argparse.ArgumentParser()
    importlib.import_module("wsgibench.commands." + command).add_arguments(
        parser
    )
    return {
        action.dest
        for action in parser._actions
        if action.option_strings and action.dest != "help"
    }


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What a master was asked for; there is none, and no Locust."""
    found: list[Any] = []

    def run(*given: Any) -> None:
        found.append(given[:-1])  # without on_live
        raise Reached("reached")

    package = types.ModuleType("wsgibench.locust")
    package.master = types.SimpleNamespace(  # type: ignore[attr-defined]
        run=run, Ssh=lambda *words: words
    )
    monkeypatch.setitem(sys.modules, "wsgibench.locust", package)
    return found


def test_every_option_beside_workers_is_obeyed_or_refused(
    asked: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.write_text("/other\n")
    assert options("load") == set(EXAMPLES)
    base = ["load", "http://127.0.0.1:9/", "-c", "8", "--workers", "2"]
    assert main(base) == 1
    plain = asked.pop()
    refused = set()
    for name, example in EXAMPLES.items():
        words = [
            {"FILE": str(file), "OUT": str(tmp_path / "out")}.get(word, word)
            for word in example.split()
        ]
        capsys.readouterr()
        if main([*base, *words]) == 2:
            said = capsys.readouterr().err
            option = "--" + name.replace("_", "-")
            assert option in said, (name, said)
            assert "--workers" in said
            assert said.count("\n") == 1
            refused.add(name)
            continue
        given = asked.pop()
        assert given != plain or name in OUTPUT, name
        spec = given[0]
        travelled = wire.from_json(json.loads(json.dumps(wire.to_json(spec))))
        if name == "url_list":
            assert travelled.entries[0].target == "/other"
        else:
            assert travelled == spec, name
    assert refused == {
        *("sweep", "processes", "cpu", "tool", "window", "steered_by"),
        *("ssh", "worker_command"),  # with hosts only
    }


@pytest.mark.parametrize(
    "words",
    [
        "--bind *:5600",
        "--ssh x",
        "--worker-command x",
        "--workers 9",
        "--workers 0",
        "--workers a,,b",
        "--workers a,a",
        "--workers 2 -n 1",
        "--workers 2 --bind *:0",
        "--workers 2 --bind nowhere",
        "--workers a --bind 10.0.0.1:5557",
    ],
)
def test_what_makes_no_sense_is_one_sentence(
    words: str, asked: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    url = "http://127.0.0.1:9/"
    assert main(["load", url, "-c", "8", *words.split()]) == 2
    assert not asked
    assert capsys.readouterr().err.count("\n") == 1


def test_hosts_take_what_ssh_needs(asked: list[Any]) -> None:
    words = "--workers a,b --ssh x --worker-command y --bind 127.0.0.1:5600"
    assert main(["load", "http://127.0.0.1:9/", "-c2", *words.split()]) == 1
    spec, workers, bind, ssh = asked.pop()
    assert isinstance(spec, LoadSpec)
    assert (workers, bind, ssh) == ("a,b", ("127.0.0.1", 5600), ("x", "y"))


#: Options of ``worker`` that a locustfile's own users do not obey.
OF_A_WORKER = {
    "host": "--host http://127.0.0.1",
    "url_list": "--urls x",
    "headers": "--headers browser",
    "header": "-H A:b",
    "think": "--think 1",
    "expect_status": "--expect-status 204",
    "stay": "--stay",
}


def test_a_worker_with_a_locustfile_says_what_it_does_not_obey(
    capsys: pytest.CaptureFixture[str],
) -> None:
    known = {"master", "locustfile"} | set(OF_A_WORKER)
    assert options("worker") == known
    base = ["worker", "--master", "127.0.0.1", "-f", "none.py"]
    for words in [*OF_A_WORKER.values(), "/page"]:
        capsys.readouterr()
        assert main([*base, *words.split()]) == 2, words
        assert "locustfile" in capsys.readouterr().err


def test_what_is_of_this_machine_is_not_asked_of_workers() -> None:
    plain = LoadSpec("http://10.0.0.1/", connections=9, learn=True)
    asked = replace(plain, processes=2, source="127.0.0.1", sources=4)
    workers = client.Client("10.0.0.1", workers="2")
    assert workers.spec(asked) == plain
    assert workers.command(["load"]) == ["load", "--workers", "2"]
    beside = client.Client("10.0.0.1", namespace="x")
    assert beside.spec(asked) == replace(plain, processes=2)
    assert beside.command(["load"]) == ["ip", "netns", "exec", "x", "load"]
    assert client.HERE.spec(asked) is asked
    assert client.HERE.command(["load"]) == ["load"]


@pytest.mark.parametrize(
    "words",
    [
        "--load-workers 2",  # where?
        "--load-workers 2 --target-host 127.0.0.1 --client-namespace x",
        "--load-workers 2 --target-host 127.0.0.1 --counted",
        "--load-workers 2 --target-host 127.0.0.1 --app m:a",
        "--load-workers 2 --target-host 127.0.0.1 --suite SUITE",
        "--client-namespace wb-none",
    ],
)
def test_a_run_that_cannot_be_loaded_so(
    words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suite = tmp_path / "wrk.toml"
    suite.write_text(SUITE)
    asked = words.replace("SUITE", str(suite)).split()
    output = ["-o", str(tmp_path / "r.json")]
    assert main(["run", *asked, *output]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    if "SUITE" in words:
        assert "wrk" in said
        assert main(["run", *asked[4:], *output, "--dry-run"]) == 0
    with pytest.raises(UsageError):
        client.chosen("", "2", "")

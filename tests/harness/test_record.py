"""Strangers' records at the door: one sentence and exit code 2, whatever they
are made of."""

from __future__ import annotations

import copy
import json
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.counting import test_comparison as counting
from tests.reports import test_search_pages as searches
from tests.stats import synthetic
from tests.stats.test_machine import start as whole_start
from wsgibench import bounded, cli, plugins
from wsgibench.errors import UsageError, WsgibenchError
from wsgibench.harness import checking, record
from wsgibench.reports import csv, markdown, table
from wsgibench.stats import bootstrap, comparison


def made() -> dict[str, Any]:
    costs = {"null": 5.0, "c-uv": 6.0}
    found = synthetic.race(costs, seed=1, starts=2, windows=8)
    found["cells"].append(synthetic.cell("waitress", [whole_start(windows=8)]))
    found["failures"] = [{"cell": "a", "reason": "b"}]
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "record.json"


def refused(file: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert cli.main(["report", str(file)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith("wsgibench: ")
    return said


SCHEMA = '{"schema": "%s"' % record.SCHEMA

STRANGERS = {
    "": "does not begin with {",
    "\0\0\0": "does not begin with {",
    "[]": "does not begin with {",
    "{}": "begins with no schema",
    '{"schema": 7}': "its schema is 7",
    '{"schema": "wsgibench-record/2"}': "run it again",
    "\ufeff{}": "does not begin with {",
    "\x1f\x8b": "does not begin with {",
    SCHEMA: "is not JSON",
    SCHEMA + "}": "record has no",
    SCHEMA + ', "x": NaN}': "NaN is no number",
    SCHEMA + ', "x": 1e400}': "1e400 is no number",
    SCHEMA + ', "x": -1e400}': "-1e400 is no number",
    SCHEMA + ', "x": ' + "9" * 5000 + "}": "",
    SCHEMA + ', "kind": []}': "record has no",
    SCHEMA + ', "x": ' + "[" * 100_000: "too deep",
    SCHEMA + ', "x": "\\ud800"}': "record has no",
}


@pytest.mark.parametrize("text", STRANGERS, ids=lambda text: text[:40])
def test_what_is_no_record(
    text: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(text)
    assert STRANGERS[text] in refused(file, capsys)


def test_bytes_that_are_no_text(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_bytes(SCHEMA.encode() + b', "x": "\xff\xfe"}')
    assert "is not JSON" in refused(file, capsys)


def test_what_is_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "is not a file" in refused(tmp_path, capsys)
    assert "No such file" in refused(tmp_path / "none", capsys)
    os.mkfifo(tmp_path / "fifo")  # nobody writes: it must not wait
    assert "is not a file" in refused(tmp_path / "fifo", capsys)


def test_keys_of_old_records_are_read(file: Path) -> None:
    old = made()
    cell = old["cells"][0]
    cell["twin"] = True
    told = cell["starts"][0].pop("target")
    cell["starts"][0]["guest"] = {**told, "gil": False}
    file.write_text(json.dumps(old))
    found = record.read(file)["cells"][0]
    assert found["aa"] is True
    assert found["starts"][0]["target"] == {**told, "gil": False}
    assert "twin" not in found
    assert "guest" not in found["starts"][0]


@pytest.mark.parametrize(
    ("command", "text", "words"),
    [
        (["audit", "--read"], "[" * 100_000, "nested too deep"),
        (["audit", "--read"], '{"wsgibench_audit": 1}', "has no date"),
        (["audit", "--read"], "/dev/zero", "is not a file"),
        (["load"], "[" * 100_000, "nested too deep"),
        (["load"], '{"duration": NaN}', "NaN is no number"),
        (["load"], '{"duration": 1e400}', "1e400 is no number"),
        (["load"], "/dev/zero", "it has over 1 MiB"),
    ],
)
def test_what_is_no_audit_and_no_load(
    command: list[str],
    text: str,
    words: str,
    file: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bounded, "LARGEST", 1 << 20)
    path = text if text.startswith("/") else str(file)
    if path == str(file):
        file.write_text(text)
    last = "@" + path if command == ["load"] else path
    assert cli.main([*command, last]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1


def change(value: Any, where: list[Any], new: Any) -> None:
    for key in where[:-1]:
        value = value[key]
    value[where[-1]] = new


START = ["cells", 0, "starts", 0]


@pytest.mark.parametrize(
    ("where", "value", "words"),
    [
        (["cells"], None, "record.cells must be a list"),
        (["seed"], 1.5, "record.seed must be a whole number"),
        (["seed"], True, "record.seed must be a whole number"),
        ([*START, "usage", 3, "cpu_ns"], -1, "neither negative"),
        ([*START, "usage", 3, "time_ns"], 1, "times of usage go back"),
        ([*START, "load", "windows", 0, "end_ns"], 0, "without a length"),
        ([*START, "load", "windows", 0, "ok"], 2**64, "nor endless"),
        ([*START, "usage", 3, "cpu_ns"], 10**400, "nor endless"),
        ([*START, "load", "doubts"], [{"code": "x"}], "has no level"),
        ([*START, "start"], 1, "has a start twice"),
        ([*START, "load", "connections"], [], "connections must be an obj"),
        (["cells", 0, "disturbed"], "yes", "disturbed must be a list"),
        (["resumed"], "yes", "record.resumed must be a whole number"),
        (["kind"], "other", "must be one of counted"),
    ],
)
def test_where_it_is_wrong_is_said(
    where: list[Any],
    value: Any,
    words: str,
    file: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    wrong = made()
    change(wrong, where, value)
    file.write_text(json.dumps(wrong))
    assert words in refused(file, capsys)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [at] if at else []
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    for key, one in items:
        found += places(one, (*at, key))
    return found


VALUES: list[Any] = [
    *(None, True, -1, 0, 1.5, 2**62, 2**70, 10**400, 1e308, "", "x", [], {}),
    *([[]], [None], {"a": None}, "eJwDAAAAAAE=", "%s", "\0"),
]


def changed(
    good: dict[str, Any], every: Sequence[tuple[Any, ...]], rng: Random
) -> dict[str, Any]:
    """Without one of its values, or with another one there."""
    wrong = copy.deepcopy(good)
    where = rng.choice(every)
    holder: Any = wrong
    for key in where[:-1]:
        holder = holder[key]
    if rng.random() < 0.3:
        del holder[where[-1]]
    else:
        holder[where[-1]] = rng.choice(VALUES)
    return wrong


@pytest.mark.parametrize("seed", range(5))
def test_no_change_of_a_record_ends_in_a_traceback(
    file: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """What passes the door can be reported and compared."""
    monkeypatch.setattr(bootstrap, "NOISE_DRAWS", 8)  # 400 take 10 s of CPU
    good = made()
    every, rng = places(good), Random(seed)
    passed = 0
    for _ in range(50):
        file.write_text(json.dumps(changed(good, every, rng)))
        try:
            found = record.read(file)
            for report in (table, markdown, csv):
                report.render(found)
            if not comparison.incomparable(good, found):
                comparison.compare(good, found)
        except UsageError:
            continue
        passed += 1
    assert 4 < passed < 46  # the door is neither shut nor open


OTHERS = {
    "counted": (counting.record(counting.cell(100.0)), "counted", "pyperf"),
    "capacity": (searches.of_capacity(), "capacity", "html"),
    "size": (searches.of_size(), "size", "html"),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_no_change_of_any_other_kind_does(kind: str, file: Path) -> None:
    good, *forms = OTHERS[kind]
    every, rng = places(good), Random(17)
    codes = set()
    for _ in range(120):
        file.write_text(json.dumps(changed(good, every, rng)))
        command = ["report", str(file), "-o", str(file.with_suffix(".out"))]
        codes.add(cli.main([*command, "--format", rng.choice(forms)]))
    assert codes == {0, 2}


EVERY = {"timed": made(), **{name: one[0] for name, one in OTHERS.items()}}


@pytest.mark.parametrize("kind", EVERY)
def test_a_command_for_another_kind_says_so(
    kind: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(json.dumps(EVERY[kind]))
    for form in plugins.names("reports"):
        code = cli.main(["report", str(file), "--format", form])
        said = capsys.readouterr().err
        assert code == (2 if said else 0)
        assert said.count("\n") == int(bool(said))
        if "its forms are" in said:
            assert form not in said.partition("its forms are")[2]
    searched = kind in ("capacity", "size")
    for command in (
        ["compare", str(file), str(file)],
        ["history", str(file.parent)],
        ["gate", "--base", str(file)],
    ):
        if searched or (command[0], kind) == ("gate", "timed"):
            assert cli.main(command) == 2
            assert "is of `" in capsys.readouterr().err


def test_what_only_a_suite_has_is_checked(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suite = {"name": "a", "about": "b", "published": [], "loads": {}}
    matrix = {"servers": ["null"], "scenarios": ["hello"], "loads": ["x"]}
    wrong = made()
    wrong["cells"][0]["load"].pop("name", None)
    for matrices, words in (
        ([matrix], "record.suite has no load 'x'"),
        ([], "record.cells[0].load has no name"),
    ):
        wrong["suite"] = {**suite, "matrix": matrices}
        file.write_text(json.dumps(wrong))
        assert words in refused(file, capsys)


def test_a_start_without_samples_of_the_client_is_read(file: Path) -> None:
    found = made()
    del found["cells"][-1]["starts"][0]["client_usage"]
    file.write_text(json.dumps(found))
    assert table.render(record.read(file))


def test_drops_of_a_start_that_tells_nothing_of_its_connections(
    file: Path,
) -> None:
    found = made()
    start = found["cells"][-1]["starts"][0]
    start["listener_drops"] = 3
    del start["load"]["connections"]
    file.write_text(json.dumps(found))
    assert "listen-drops" in table.render(record.read(file))


def test_a_form_of_suites_needs_a_suite(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(json.dumps(made()))
    assert cli.main(["report", str(file), "--format", "suite"]) == 2
    assert "not of a suite" in capsys.readouterr().err


BOMB = """
import resource, sys
from pathlib import Path
from wsgibench.errors import UsageError, WsgibenchError
from wsgibench.harness import record
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    record.read(Path(sys.argv[1]))
except UsageError as error:
    print(error)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print((after - before) >> 10)
"""


def test_memory_is_bounded_by_what_a_record_can_have(file: Path) -> None:
    """60 MiB of empty lists would be gigabytes of objects."""
    with open(file, "w") as out:
        out.write(SCHEMA + ', "x": [')
        for _ in range(60):
            out.write("[]," * 350_000)
        out.write("[]]}")
    done = subprocess.run(
        [sys.executable, "-c", BOMB, str(file)],
        capture_output=True,
        text=True,
        check=True,
    )
    said, grown = done.stdout.splitlines()
    assert "it has over" in said
    assert int(grown) < 200  # MiB


def test_a_histogram_that_would_be_large_is_not_unpacked() -> None:
    import base64
    import struct
    import zlib

    from wsgibench.load import hdr

    payload = b"\x02" * (64 << 20)
    head = hdr.HEADER.pack(
        hdr.COOKIE, len(payload), 0, hdr.DIGITS, 1, hdr.HIGHEST, 1.0
    )
    packed = zlib.compress(head + payload)
    prefix = struct.pack(">ii", hdr.COMPRESSED_COOKIE, len(packed))
    text = base64.b64encode(prefix + packed).decode()
    assert len(text) < 200_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match="over an hour"):
        hdr.Histogram.decode(text)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after - before < 64 << 10


def test_what_is_written_is_read(file: Path) -> None:
    good = made()
    record.write(good, file)
    assert record.read(file) == json.loads(json.dumps(good))
    assert checking.checked(good) is good


def test_a_device_stays_a_device(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    fd = os.open(pipe, os.O_RDWR)  # so that nobody waits for the other
    try:
        record.write({"a": 1}, pipe)
        assert json.loads(os.read(fd, 100)) == {"a": 1}
    finally:
        os.close(fd)
    assert stat.S_ISFIFO(os.stat(pipe).st_mode)


def test_what_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(WsgibenchError, match="cannot write /dev/full: No "):
        record.write({}, Path("/dev/full"))
    with pytest.raises(WsgibenchError, match="cannot write .*: Is a dir"):
        record.write({}, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_result_of_load_has_finite_numbers(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text('{"schema": "wsgibench-load/1", "goodput": 1e400}')
    assert "1e400 is no number" in refused(file, capsys)


@pytest.fixture
def umask() -> Iterator[int]:
    mask = 0o027
    before = os.umask(mask)
    yield mask
    os.umask(before)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "folder" / "target", tmp_path / "link"
    target.parent.mkdir()
    link.symlink_to("folder/target")
    for text in ("new", "again"):
        record.write({"a": text}, link)
        assert link.is_symlink()
        assert json.loads(target.read_text()) == {"a": text}
    assert sorted(tmp_path.iterdir()) == [target.parent, link]
    assert list(target.parent.iterdir()) == [target]


def test_the_mode_is_the_umask_s_or_that_of_before(
    file: Path, umask: int
) -> None:
    record.write({}, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o666 & ~umask
    file.chmod(0o604)
    record.write({"a": 1}, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o604
    assert json.loads(file.read_text()) == {"a": 1}

"""python -m wsgibench audit, as its users call it."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
from pathlib import Path
from xml.etree import ElementTree

import pytest

from wsgibench.audit import FOLDER, run

PLANTED = sys.executable + " -m tests.audit.planted serve_wsgi {port}"


def audit(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wsgibench", "audit", *arguments],
        capture_output=True,
        text=True,
    )


def junit(path: Path, tests: int, failures: int, errors: int) -> None:
    """What Jenkins and GitLab need of the file."""
    root = ElementTree.parse(path).getroot()
    assert root.tag == "testsuites"
    (suite,) = root
    for element in (root, suite):
        counts = [
            element.get(name) for name in ("tests", "failures", "errors")
        ]
        assert counts == [str(tests), str(failures), str(errors)]
        assert float(element.attrib["time"]) >= 0
    assert suite.get("name")
    assert suite.get("skipped") == "0"
    cases = suite.findall("testcase")
    names = {(case.attrib["classname"], case.attrib["name"]) for case in cases}
    assert len(names) == len(cases) == tests
    assert all(float(case.attrib["time"]) >= 0 for case in cases)
    for tag, count in (("failure", failures), ("error", errors)):
        found = suite.findall("testcase/" + tag)
        assert len(found) == count
        assert all(one.get("message") and one.get("type") for one in found)


def test_a_command_of_the_user_s(tmp_path: Path) -> None:
    done = audit(
        *("--command", PLANTED, "--case", "http/host/*"),
        *("--json", str(tmp_path / "a.json")),
        *("--junit", str(tmp_path / "a.xml")),
        *("--markdown", str(tmp_path / "a.md")),
    )
    assert done.returncode == 1, done.stderr
    assert "worst: http/host/" in done.stdout
    record = json.loads((tmp_path / "a.json").read_text())
    (server,) = record["servers"]
    assert server["score"]["http"]["of"] == len(server["findings"]) > 50
    wrong = [one for one in server["findings"] if one["complaint"]]
    assert all(one["sent"] and one["rule"] for one in wrong)
    junit(tmp_path / "a.xml", len(server["findings"]), len(wrong), 0)
    assert "serve_wsgi" in (tmp_path / "a.md").read_text()
    text = (tmp_path / "a.json").read_text()
    (tmp_path / "a.json").write_text(
        text.replace(server["date"], "2001-02-03")
    )
    again = audit(
        *("--read", str(tmp_path / "a.json")),
        *("--junit", str(tmp_path / "b.xml")),
        *("--markdown", str(tmp_path / "b.md")),
    )
    assert "Checked on 2001-02-03." in (tmp_path / "b.md").read_text()
    assert (again.returncode, again.stdout) == (1, done.stdout)
    assert (tmp_path / "b.xml").read_text() == (tmp_path / "a.xml").read_text()


def test_one_case_is_shown_with_its_bytes() -> None:
    done = audit("--command", PLANTED, "--case", "http/host/valid-name")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "sent     b'GET / HTTP/1.1\\r\\nHost: example.com" in done.stdout
    assert "received b'HTTP/1.0 200 OK" in done.stdout


def test_a_server_of_the_list() -> None:
    done = audit("--server", "wsgiref", "--case", "wsgi/environ/builtin-dict")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "wsgiref on CPython" in done.stdout


def test_processes_of_a_command() -> None:
    serve = sys.executable + " -m wsgibench serve {app} --bind {host}:{port}"
    for command, code, words in (
        (serve, 0, "faults 5 of 5 right"),
        # It has no worker to replace, and ends at once.
        (PLANTED, 1, "faults 3 of 4 right"),
    ):
        done = audit("--command", command, "--case", "faults/process/*")
        assert done.returncode == code, done.stdout + done.stderr
        assert words in done.stdout


def test_the_level_of_the_exit_code() -> None:
    """wsgiref lets a name with "_" stand for one with "-"."""
    wrong = ("--command", PLANTED, "--case", "http/underscore/*")
    strict = audit(*wrong)
    assert strict.returncode == 1, strict.stdout
    assert audit(*wrong, "--level", "must").returncode == 0


def test_the_folder_holds_the_application() -> None:
    done = audit("--folder")
    assert done.stdout.strip() == str(FOLDER)
    assert (FOLDER / "wsgibench_audit" / "__init__.py").exists()


def test_wrong_use_is_one_sentence() -> None:
    for arguments, words in (
        (("--url", "ftp://x"), "is not a URL"),
        (("--command", "true"), "{port}"),
        (("--command", "true {port} {what}"), "cannot be filled in"),
        (("--server", "gunicorn-snc"), "gunicorn-snc"),
        (("--read", "/nowhere"), "cannot read /nowhere"),
        (("--read", __file__), "is not JSON"),
        (
            ("--command", PLANTED, "--case", "http/hosts/*"),
            "did you mean http/host/",
        ),
        (("--case", "nothing"), "there are http/absolute_form/*, "),
        (("--url", "https://localhost"), "without TLS"),
        (("--url", "http://localhost:99999"), "is not a URL"),
        (("--url", "unix://x"), "is not like unix:/path"),
    ):
        done = audit(*arguments)
        assert done.returncode == 2, (arguments, done.stdout, done.stderr)
        assert words in done.stderr
        assert "Traceback" not in done.stderr


def test_what_serves_nothing_is_told(tmp_path: Path) -> None:
    file = tmp_path / "a.xml"
    done = audit(
        *("--command", "/bin/echo cannot\x01 {port}", "--junit", str(file)),
    )
    assert done.returncode == 1
    assert "serves nothing: cannot" in done.stdout
    junit(file, 1, 0, 1)
    for url in ("http://127.0.0.1:9", "unix:/nowhere/a.sock"):
        done = audit("--url", url)
        assert done.returncode == 1
        assert "nobody answers at " + url in done.stdout


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"\x15\x03\x01\x00\x02\x02\x46", "it speaks TLS"),
        (b"\0\0\0\x04\0\0\0\0\0", "it speaks HTTP/2"),
        (b"SSH-2.0-x\r\n", "is not HTTP/1.1: b'SSH"),
        (b"", "closes the connection without an answer"),
        (b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", "it answers 404"),
    ],
)
def test_who_does_not_serve_the_application(answer: bytes, words: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    with client:
                        client.recv(4096)
                        client.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        assert words in run.why_not(listener.getsockname())

"""What is wrong in the options of `serve` is told in a sentence."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from tests.native.serving import (
    APP,
    Run,
)
from wsgibench import serve
from wsgibench.errors import UsageError, WsgibenchError
from wsgibench.native.loading import load_app


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--user=nobody-of-that-name",), "nobody-of-that-name"),
        (("--group=nobody-of-that-name",), "nobody-of-that-name"),
        (("--group=99999999999",), "99999999999"),
        (("--user=4294967295",), "4294967295"),
        (("--umask=9",), "octal"),
        (("--uds-mode=rw",), "octal"),
        (("--workers=many",), "workers"),
        (("--max-requests=-1",), "max_requests"),
        (("--drain-delay=-1",), "drain_delay"),
        (("--health-path=health",), "health_path"),
        (("--preload", "--reload"), "preload"),
        (("--log-config=/nowhere",), "/nowhere"),
        (("--chdir=/nowhere",), "/nowhere"),
        (("--temp-dir=/nowhere",), "/nowhere"),
        (("--config=/nowhere",), "/nowhere"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(
    run: Run, arguments: tuple[str, ...], words: str
) -> None:
    program = run("an_app", "--port=0", *arguments)
    assert program.wait() in (1, 2)
    assert program.lines[-1].startswith("wsgibench: ")
    assert program.lines[-1].endswith(".")
    assert words in program.lines[-1]
    assert "Traceback" not in program.text


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"bind": "127.0.0.1:99999"}, "a port is 0 to 65535, not 99999"),
        ({"port": -1}, "a port is 0 to 65535, not -1"),
        ({"bind": "unix:"}, "names no socket"),
        ({"bind": "unix:@"}, "names no socket"),
        ({"bind": "unix:/" + "x" * 200}, "too long"),
        ({"bind": "fd://x"}, "fd://3"),
        ({"bind": "nobody.invalid:0"}, "nobody.invalid:0: "),
        ({"metrics": "99999"}, "a port is"),
        ({"statsd_host": "127.0.0.1:99999"}, "statsd_host is HOST:PORT"),
        ({"statsd_host": "nobody.invalid:1"}, "nobody.invalid:1: "),
        ({"log_level": "loud"}, "log_level is one of debug"),
        ({"grace": float("nan")}, "grace is a number of seconds"),
        ({"stream_body": 2}, "stream_body is 0 to 1"),
        ({"max_fields": 1 << 32}, "max_fields is 0 to 4294967295"),
        ({"accept_batch": -1}, "accept_batch"),
    ],
)
def test_what_is_wrong_is_told_before_a_worker_starts(
    given: dict[str, Any], words: str
) -> None:
    with pytest.raises(WsgibenchError, match=words):
        serve("an_app", **{"port": 0, **given})


def test_one_address_twice_is_told() -> None:
    """Both can be bound (SO_REUSEADDR), but only one listens."""
    with socket.socket() as spare:
        spare.bind(("127.0.0.1", 0))
        port = spare.getsockname()[1]
    with pytest.raises(WsgibenchError, match="%d: Address already" % port):
        serve("an_app", bind=["127.0.0.1:%d" % port] * 2)


def test_one_unix_socket_twice_is_told(tmp_path: Path) -> None:
    again = tmp_path / ".." / tmp_path.name / "a"
    binds = ["unix:%s/a" % tmp_path, "unix:%s" % again]
    with pytest.raises(UsageError, match="/a is there twice"):
        serve("an_app", bind=binds)


def test_a_bad_address_leaves_no_file_of_a_good_one(tmp_path: Path) -> None:
    with pytest.raises(WsgibenchError, match="a port is"):
        serve("an_app", bind=["unix:%s/a" % tmp_path, "127.0.0.1:99999"])
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("name", ["./an_app.py", "an_app.py:app"])
def test_a_file_is_no_module(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "an_app.py").write_text(APP)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"like an_app:app"):
        load_app(name)

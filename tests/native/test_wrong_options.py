"""What is wrong in the options of `serve` is told in a sentence."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.native.serving import (
    APP,
    Run,
)
from wsgibench import Server, serve
from wsgibench.errors import UsageError, WsgibenchError
from wsgibench.native import sockets
from wsgibench.native.loading import load_app
from wsgibench.native.settings import to_core


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
        ({"accept_batch": -1}, "accept_batch is 1 to 4294967295, not -1"),
        ({"accept_batch": 0}, "accept_batch is 1 to 4294967295, not 0"),
        ({"host": ".."}, r"cannot listen on \.\.:0: '\.\.' is no name"),
        ({"host": "a\0b"}, "host has a NUL in it"),
        ({"bind": "a" * 70 + ".x:0"}, "is no name of a host"),
        ({"bind": "127.0.0.1:\u00b2"}, "is not an address"),
        ({"bind": "fd://\u00b2"}, "is not an address like fd://3"),
        ({"bind": "fd://" + "9" * 5000}, "is not an address like fd://3"),
        ({"bind": "unix:/tmp/a\0b"}, "bind has a NUL in it"),
        ({"metrics": "127.0.0.1:\u00b2"}, "is not an address"),
        ({"metrics": "\u00b2"}, "metrics is an address"),
        ({"statsd_host": "a..b:8125"}, "statsd_host a..b:8125: 'a..b' is no"),
        ({"statsd_host": "a:\u00b2"}, "statsd_host is HOST:PORT"),
        ({"root_path": "/\udcff"}, "root_path must be UTF-8"),
        ({"temp_dir": "/tmp/\udcff"}, "temp_dir must be UTF-8"),
        ({"temp_dir": b"/tmp"}, "temp_dir is a text"),
        ({"certfile": "/a\0b"}, "certfile has a NUL in it"),
        ({"access_log": "/a\0b"}, "access_log has a NUL in it"),
        ({"error_log": "/a\0b"}, "error_log has a NUL in it"),
        ({"pid": "/a\0b"}, "pid has a NUL in it"),
        ({"reload_extra_file": ["a\0b"]}, "reload_extra_file has a NUL"),
        ({"grace": "x"}, "grace is a number of seconds, not 'x'"),
        ({"server_header": "x" * 65}, "server_header is at most 64"),
        ({"server_header": "a\r\nb"}, "server_header is at most 64"),
        ({"server_header": "a\0b"}, "server_header has a NUL in it"),
        ({"forwarded_allow_ips": "fe80::1%lo"}, "forwarded_allow_ips is a"),
        ({"proxy_allow_ips": "10.0.0.0/255.0.255.0"}, "proxy_allow_ips is a"),
    ],
)
def test_what_is_wrong_is_told_before_a_worker_starts(
    given: dict[str, Any], words: str
) -> None:
    with pytest.raises(WsgibenchError, match=words):
        serve("an_app", **{"port": 0, **given})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"host": ".."}, "is no name of a host"),
        ({"bind": "unix:/tmp/a\0b"}, "bind has a NUL in it"),
        ({"access_log": "/a\0b"}, "access_log has a NUL in it"),
        ({"certfile": "/a\0b"}, "certfile has a NUL in it"),
        ({"forwarded_allow_ips": "fe80::1%lo"}, "forwarded_allow_ips is a"),
        ({"accept_batch": 0}, "accept_batch is 1 to"),
    ],
)
def test_a_server_tells_it_as_well(given: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Server(lambda environ, start_response: [], **{"port": 0, **given})


def test_the_number_of_inherited_sockets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    monkeypatch.setenv("LISTEN_FDS", "\u00b2")
    with pytest.raises(UsageError, match="LISTEN_FDS is a number"):
        sockets.from_systemd()


@pytest.mark.parametrize(
    ("given", "core"),
    [
        ("10.0.0.0/255.0.0.0", "10.0.0.0/8"),
        ("10.1.2.3/0.255.255.255", "10.0.0.0/8"),
        ("::1 unix,*", "::1/128,unix,*"),
    ],
)
def test_the_core_is_given_lengths_for_netmasks(given: str, core: str) -> None:
    settings = {"forwarded_allow_ips": given, "proxy_allow_ips": given}
    assert to_core(settings) == {"forwarded_allow": core, "proxy_allow": core}
    server = Server(
        lambda environ, start_response: [],
        port=0,
        proxy_protocol=2,
        **settings,  # type: ignore[arg-type]
    )
    server.close()


def test_what_the_core_sends_of_its_name(binding: str) -> None:
    """64 bytes, and they are sent."""
    server = Server(
        lambda environ, start_response: [], port=0, server_header="x" * 64
    )
    with server, socket.create_connection(server.address, 60) as client:
        client.sendall(b"no request\r\n\r\n")
        answer = client.makefile("rb").read()
    assert b"\r\nServer: " + b"x" * 64 + b"\r\n" in answer


@pytest.mark.parametrize("name", [".a:app", "..a:app", "a..b:app", "a\0:app"])
def test_no_name_of_a_module(name: str) -> None:
    with pytest.raises(UsageError, match="is not an application like"):
        load_app(name)


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

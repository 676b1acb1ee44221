"""Unix sockets, TLS, source addresses, several processes."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import subprocess
import threading
from pathlib import Path
from typing import Any, Callable

import pytest

from wsgibench import native
from wsgibench.errors import UsageError, WsgibenchError
from wsgibench.load.processes import parts, share
from wsgibench.load.spec import LoadSpec
from wsgibench.native import binding as native_binding

Load = Callable[..., dict[str, Any]]
Golden = Callable[..., Any]


@pytest.mark.parametrize("name", ["{}/socket", "@wsgibench-load-test"])
def test_unix_sockets(
    load: Load, golden: Golden, tmp_path: Path, name: str
) -> None:
    path = name.format(tmp_path)
    golden(unix="\0" + path[1:] if path[0] == "@" else path)
    result = load(
        "unix:%s|/x" % path,
        connections=8,
        requests=500,
        expect_body=b"a right answer",
    )
    assert result["classes"]["ok"] == 500
    missing = load("unix:%s/none" % tmp_path, duration=0.2)
    assert missing["classes"]["refused"] == missing["scheduled"] > 0


def make_certificate(folder: Path, name: str) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes"]
        + ["-keyout", name + "-key.pem", "-out", name + ".pem"]
        + ["-days", "2", "-subj", "/CN=" + name]
        + ["-addext", "subjectAltName=DNS:" + name],
        cwd=folder,
        check=True,
        stderr=subprocess.DEVNULL,
    )


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("tls")
    make_certificate(folder, "localhost")
    make_certificate(folder, "stranger")
    return {
        "certificate": str(folder / "localhost.pem"),
        "key": str(folder / "localhost-key.pem"),
        "stranger": str(folder / "stranger.pem"),
    }


@pytest.fixture
def needs_tls(binding: str) -> None:
    if not native_binding(binding).LoadGenerator.has_tls():
        pytest.skip("this build has no TLS")


@pytest.mark.usefixtures("needs_tls")
class TestTls:
    def test_every_answer_is_read(
        self, load: Load, golden: Golden, certificate: dict[str, str]
    ) -> None:
        server = golden(**certificate, repeat=5000, wrong_each=50)
        result = load(
            "https://localhost:%d/" % server.port,
            connections=8,
            requests=400,
            duration=60,
            method="POST",
            body=b"z" * 100_000,  # more than a record, more than a buffer
            expect_body=server.body * 5000,
            tls_ca=certificate["certificate"],
            timeout=30,
            drain=30,
        )
        account = server.account()
        assert result["classes"]["bad_body"] == 8
        assert result["classes"]["ok"] == account["did"]["right"] == 392

    def test_faults(
        self, load: Load, golden: Golden, certificate: dict[str, str]
    ) -> None:
        server = golden(**certificate, half_each=10, reset_each=15)
        result = load(
            "https://localhost:%d/" % server.port, requests=60, duration=60
        )
        did = server.account()["did"]
        assert result["classes"]["ok"] == did["right"]
        lost = result["classes"]["early_eof"] + result["classes"]["reset"]
        assert lost == did["half"] + did["reset"]

    @pytest.mark.parametrize("resume", [False, True])
    def test_resumption(
        self,
        load: Load,
        golden: Golden,
        certificate: dict[str, str],
        resume: bool,
    ) -> None:
        server = golden(**certificate, close=True)
        result = load(
            "https://localhost:%d/" % server.port,
            requests=20,
            duration=60,
            keepalive=False,
            tls_resume=resume,
        )
        assert result["classes"]["ok"] == 20
        # One after another: all but the first have a session to offer.
        assert server.account()["resumed"] == (19 if resume else 0)

    def test_a_stranger_is_refused(
        self, load: Load, golden: Golden, certificate: dict[str, str]
    ) -> None:
        other = golden(**certificate)
        result = load(
            "https://localhost:%d/" % other.port,
            duration=0.3,
            tls_ca=certificate["stranger"],
        )
        assert result["classes"]["refused"] == result["scheduled"] > 0
        assert "certificate verify failed" in result["samples"][0]["bytes"]

    def test_plain_http_is_refused(self, load: Load, golden: Golden) -> None:
        server = golden()
        result = load(
            "https://127.0.0.1:%d/" % server.port, duration=0.3, timeout=0.2
        )
        assert result["classes"]["ok"] == 0


def test_without_tls_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    from wsgibench.load import run

    class Without:
        @staticmethod
        def has_tls() -> bool:
            return False

    class Module:
        LoadGenerator = Without

    monkeypatch.setattr(native, "binding", lambda: Module)
    with pytest.raises(UsageError, match="no TLS"):
        run.run(LoadSpec("https://127.0.0.1:1/"))


def test_source_addresses(load: Load, golden: Golden) -> None:
    server = golden(peers=True)
    result = load(
        server.url,
        connections=12,
        requests=120,
        source="127.0.0.2",
        sources=3,
    )
    assert result["classes"]["ok"] == 120
    peers = server.account()["peers"]
    assert set(peers) == {"127.0.0.2", "127.0.0.3", "127.0.0.4"}


def test_a_connection_ends_in_order_though_its_socket_is_used_again(
    load: Load,
) -> None:
    """A server that closes first sees our FIN, and no RST, each time."""
    ends: list[bytes] = []
    answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello"

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                conn, _ = listener.accept()
                with conn:
                    conn.recv(4096)
                    conn.sendall(answer)
                    conn.shutdown(socket.SHUT_WR)
                    try:
                        ends.append(conn.recv(1))
                    except OSError:
                        ends.append(b"reset")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        result = load(
            "http://127.0.0.1:%d/" % listener.getsockname()[1],
            requests=200,
            keepalive=False,
            expect_body=b"hello",
        )
        listener.shutdown(socket.SHUT_RDWR)  # wakes accept(2)
        thread.join()
    assert result["classes"]["ok"] == 200
    assert result["connections"]["connects"] == 200
    assert ends == [b""] * 200


def test_an_address_that_is_not_ours(load: Load, golden: Golden) -> None:
    """The client's own limit ends the run and is no fault of the server."""
    server = golden()
    result = load(server.url, connections=2, duration=30, source="192.0.2.1")
    assert result["error"] == "EADDRNOTAVAIL"
    assert result["classes"]["unsent"] == result["scheduled"] > 0
    assert result["verdict"] == "INVALID"
    assert result["duration_s"] < 5


def test_shares_add_up() -> None:
    for total in (1, 7, 100, 65_536):
        for count in (1, 2, 3, 5):
            assert sum(share(total, count, i) for i in range(count)) == total
    spec = LoadSpec("http://127.0.0.1/", connections=7, processes=3, rate=10)
    made = parts(spec, 5)
    # Each is told the whole rate and which of the arrivals are its own.
    assert {part.rate for part in made} == {10}
    assert [(part.part, part.parts) for part in made] == [
        (0, 3),
        (1, 3),
        (2, 3),
    ]


def test_several_processes(load: Load, golden: Golden) -> None:
    server = golden(wrong_each=10)
    result = load(
        server.url,
        connections=9,
        processes=3,
        requests=1000,
        duration=60,
        expect_body=server.body,
    )
    account = server.account()
    assert result["scheduled"] == account["requests"] == 1000
    assert result["classes"]["ok"] == account["did"]["right"] == 900
    assert result["classes"]["bad_body"] == 100
    assert result["connections"]["asked"] == 9
    assert account["connections"] == 9
    assert len(result["processes"]) == 3


def test_staggered_connects(load: Load, golden: Golden) -> None:
    server = golden()
    result = load(
        server.url, connections=20, duration=1, connect_rate=50, requests=0
    )
    # The last is dialled 19/50 s after the first.
    assert result["connections"]["established"] == 20
    assert result["classes"]["ok"] == result["scheduled"]


@pytest.fixture(scope="module")
def by_address(
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, dict[str, str]]:
    folder = tmp_path_factory.mktemp("addresses")
    found = {}
    for name, names in (
        ("right", "IP:127.0.0.1,DNS:example.org"),
        ("wrong", "IP:127.0.0.9,DNS:other.org"),
    ):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes"]
            + ["-keyout", name + "-key.pem", "-out", name + ".pem"]
            + ["-days", "2", "-subj", "/CN=" + name]
            + ["-addext", "subjectAltName=" + names],
            cwd=folder,
            check=True,
            stderr=subprocess.DEVNULL,
        )
        found[name] = {
            "certificate": str(folder / (name + ".pem")),
            "key": str(folder / (name + "-key.pem")),
        }
    return found


class TestNames:
    """Whom the certificate must name, and what is asked for."""

    @pytest.mark.usefixtures("needs_tls")
    @pytest.mark.parametrize("which", ["right", "wrong"])
    @pytest.mark.parametrize(
        "how",
        [
            {},
            {"extra_headers": (("Host", "example.org"),)},
            {"extra_headers": (("Host", "example.org:8443"),)},
            {"tls_name": "example.org"},
            {"learn": True},
        ],
    )
    def test_a_certificate_names_whom_was_asked(
        self,
        load: Load,
        golden: Golden,
        by_address: dict[str, dict[str, str]],
        which: str,
        how: dict[str, Any],
    ) -> None:
        server = golden(**by_address[which])
        asked: dict[str, Any] = {
            "requests": 3,
            "duration": 5,
            "tls_ca": by_address[which]["certificate"],
            **how,
        }
        url = "https://127.0.0.1:%d/" % server.port
        if which == "wrong" and "learn" in how:
            with pytest.raises(WsgibenchError, match="learned"):
                load(url, **asked)
            return
        result = load(url, **asked)
        right = which == "right"
        assert result["classes"]["ok" if right else "refused"] == 3
        assert right or "mismatch" in result["samples"][0]["bytes"]

    @pytest.mark.usefixtures("needs_tls")
    @pytest.mark.parametrize("shown", [True, False])
    def test_a_certificate_of_our_own(
        self,
        load: Load,
        golden: Golden,
        by_address: dict[str, dict[str, str]],
        shown: bool,
    ) -> None:
        ours = by_address["right"]
        server = golden(**ours, client_ca=ours["certificate"])
        more = {"tls_cert": ours["certificate"], "tls_key": ours["key"]}
        result = load(
            "https://127.0.0.1:%d/" % server.port,
            requests=3,
            duration=5,
            timeout=2,
            **(more if shown else {}),
        )
        assert result["classes"]["ok"] == (3 if shown else 0)

    @pytest.mark.usefixtures("needs_tls")
    @pytest.mark.parametrize("announced", [True, False])
    def test_an_end_that_tls_does_not_know_of(
        self,
        load: Load,
        by_address: dict[str, dict[str, str]],
        announced: bool,
    ) -> None:
        """A body without length ends with close_notify, or was cut off (RFC
        9112 9.8)."""
        files = by_address["right"]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files["certificate"], files["key"])
        listener = socket.create_server(("127.0.0.1", 0))

        def serve() -> None:
            for _ in range(2):
                conn = context.wrap_socket(
                    listener.accept()[0], server_side=True
                )
                conn.recv(4096)
                conn.sendall(b"HTTP/1.1 200 OK\r\n\r\nhello")
                if announced:  # and not waited for the client's own
                    with contextlib.suppress(OSError):
                        conn.unwrap()
                os.close(conn.detach())

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with listener:
            port = listener.getsockname()[1]
            result = load("https://127.0.0.1:%d/" % port, requests=2)
            thread.join(30)
        assert result["classes"]["ok" if announced else "early_eof"] == 2

    @pytest.mark.usefixtures("needs_tls")
    def test_a_certificate_that_is_none(self, load: Load) -> None:
        with pytest.raises(UsageError, match="certificate and key"):
            load("https://127.0.0.1:1/", tls_cert=__file__)

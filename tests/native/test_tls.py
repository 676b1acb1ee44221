"""HTTPS: the same server under a certificate."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import subprocess
from pathlib import Path
from typing import Any, Callable

import pytest

from wsgibench.errors import UsageError

Start = Callable[..., Any]
BIG = os.urandom(1 << 16) * 64  # 4 MiB: many records


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """(certificate, key) of localhost, signed by itself."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    try:
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "ec", "-nodes"),
                *("-pkeyopt", "ec_paramgen_curve:prime256v1", "-days", "2"),
                *("-subj", "/CN=localhost", "-addext"),
                "subjectAltName=DNS:localhost",
                *("-keyout", str(key), "-out", str(cert)),
            ],
            check=True,
            capture_output=True,
        )
    except FileNotFoundError:
        pytest.skip("the openssl command makes the certificate")
    return str(cert), str(key)


def app(environ: dict[str, Any], start_response: Any) -> Any:
    path = environ["PATH_INFO"]
    data = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    if path == "/file":
        return environ["wsgi.file_wrapper"](open(data.decode(), "rb"))
    if path == "/stream":
        return (BIG[i : i + 50000] for i in range(0, len(BIG), 50000))
    if path == "/big":
        return [BIG]
    return [environ["wsgi.url_scheme"].encode() + b" " + data]


def connect(server: Any, certificate: Any) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=certificate[0])
    context.set_alpn_protocols(["h2", "http/1.1"])
    sock = socket.create_connection(server.address[:2], 30)
    return context.wrap_socket(sock, server_hostname="localhost")


def ask(sock: ssl.SSLSocket, path: str, body: bytes = b"") -> bytes:
    """Closes the connection; SSLEOFError if it was cut off."""
    head = "POST %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    head += "Content-Length: %d\r\n\r\n"
    sock.sendall((head % (path, len(body))).encode() + body)
    parts = []
    while True:
        piece = sock.recv(1 << 16)
        if not piece:
            break
        parts.append(piece)
    sock.close()
    return b"".join(parts)


@pytest.fixture(params=[0, 2])
def server(
    request: pytest.FixtureRequest, serve_app: Start, certificate: Any
) -> Any:
    cert, key = certificate
    return serve_app(app, threads=request.param, certfile=cert, keyfile=key)


def test_an_exchange(server: Any, certificate: Any) -> None:
    sock = connect(server, certificate)
    assert sock.selected_alpn_protocol() == "http/1.1"
    assert sock.version() in ("TLSv1.2", "TLSv1.3")
    assert ask(sock, "/", b"body").endswith(b"\r\n\r\nhttps body")
    assert server.url.startswith("https://")


def test_keep_alive_and_pipelining(server: Any, certificate: Any) -> None:
    request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    with connect(server, certificate) as sock:
        stream = sock.makefile("rb")
        for _ in range(3):
            sock.sendall(request * 5)
            for _ in range(5):
                assert stream.readline() == b"HTTP/1.1 200 OK\r\n"
                while stream.readline() != b"\r\n":
                    pass
                assert stream.read(6) == b"https "


@pytest.mark.parametrize("path", ["/big", "/stream"])
def test_large_answers(server: Any, certificate: Any, path: str) -> None:
    data = ask(connect(server, certificate), path)
    if path == "/big":
        assert data.endswith(BIG)
    assert len(data) > len(BIG)
    assert data.startswith(b"HTTP/1.1 200 OK\r\n")


def test_large_request(server: Any, certificate: Any) -> None:
    assert ask(connect(server, certificate), "/", BIG).endswith(BIG)


def test_a_file(server: Any, certificate: Any, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(BIG)
    data = ask(connect(server, certificate), "/file", str(path).encode())
    assert data.partition(b"\r\n\r\n")[2].count(BIG[:1000]) == 64


def test_byte_by_byte(server: Any, certificate: Any) -> None:
    with connect(server, certificate) as sock:
        for byte in b"GET / HTTP/1.1\r\nHost: a\r\n\r\n":
            sock.sendall(bytes([byte]))
        assert sock.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("head", [1.0, 0])
def test_a_silent_client_is_idle_after_the_handshake(
    serve_app: Start, certificate: Any, head: float
) -> None:
    """One that is silent before it is cut off by head_timeout."""
    cert, key = certificate
    server = serve_app(
        app, certfile=cert, keyfile=key, head_timeout=head, idle_timeout=600
    )
    silent = connect(server, certificate)
    if head:
        with socket.create_connection(server.address[:2], 30) as sock:
            assert sock.recv(1) == b""
    with connect(server, certificate) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n")
        if head:
            assert slow.recv(100).startswith(b"HTTP/1.1 408 ")
    assert ask(silent, "/", b"body").endswith(b"https body")
    cut = serve_app(
        app, certfile=cert, keyfile=key, head_timeout=head, idle_timeout=0.3
    )
    with connect(cut, certificate) as silent:
        assert silent.recv(1) == b""


@pytest.mark.parametrize(
    "garbage", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01", b"\0" * 9, b""]
)
def test_what_is_no_tls_harms_nobody(
    server: Any, certificate: Any, garbage: bytes
) -> None:
    with socket.create_connection(server.address[:2], 30) as sock:
        with contextlib.suppress(OSError):  # the server may be the quicker
            sock.sendall(garbage)
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(1000):
                pass
    assert b"https" in ask(connect(server, certificate), "/")
    assert server.stats()["connections"] <= 1


def test_clients_that_vanish(server: Any, certificate: Any) -> None:
    for count in range(0, 300, 7):
        sock = connect(server, certificate)
        sock.send(b"POST /big HTTP/1.1\r\nHost: a\r\n\r\n"[: 1 + count % 40])
        raw = socket.socket(fileno=sock.detach())
        raw.close()
    assert b"https" in ask(connect(server, certificate), "/")


def test_wrong_files_are_told(
    serve_app: Start, certificate: Any, tmp_path: Path
) -> None:
    cert, key = certificate
    broken = tmp_path / "broken.pem"
    broken.write_text("nothing of use\n")
    for settings in (
        {"certfile": "/nowhere.pem"},
        {"certfile": str(broken)},
        {"certfile": cert, "keyfile": str(broken)},
        {"keyfile": key},
    ):
        with pytest.raises(UsageError, match=r"keyfile|for TLS"):
            serve_app(app, **settings)

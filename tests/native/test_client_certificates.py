"""TLS beyond one certificate: those of clients, by host name, read again."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.native.process import programs, serve_command, until
from wsgibench.errors import UsageError

Start = Callable[..., Any]
#: What a client sees. PyPy 3.11's ssl fails over a reset: OpenSSL 3 has no
#: words for it.
PYPY = sys.implementation.name == "pypy"
REFUSED = (ssl.SSLError, ConnectionError, *[RuntimeError] * PYPY)
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def openssl(*arguments: str) -> None:
    try:
        subprocess.run(
            ["openssl", *arguments], check=True, capture_output=True
        )
    except FileNotFoundError:
        pytest.skip("the openssl command makes the certificates")


class Authority:
    """Signs certificates into a folder: NAME.pem and NAME.key."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name
        self.cert = str(folder / (name + ".pem"))
        self._new(
            *(name, "/CN=%s" % name, "-x509", "-days", "2"),
            # What RFC 5280 wants of it; Python asks for it from 3.13 on.
            *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        )

    def _new(self, name: str, subject: str, *more: str) -> None:
        openssl(
            *("req", "-new", "-newkey", "ec", "-nodes", "-utf8"),
            *("-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", subject),
            *("-keyout", str(self.folder / (name + ".key"))),
            *("-out", str(self.folder / (name + ".pem")), *more),
        )

    def sign(
        self, name: str, subject: str, host: str = "localhost"
    ) -> tuple[str, str]:
        path = self.folder / (name + ".pem")
        self._new(name, subject)
        request = path.rename(self.folder / (name + ".csr"))
        extensions = self.folder / "extensions"
        extensions.write_text(
            "subjectAltName=DNS:%s\nauthorityKeyIdentifier=keyid\n" % host
        )
        openssl(
            *("x509", "-req", "-days", "2", "-in", str(request)),
            *("-CA", self.cert, "-out", str(path), "-set_serial", "4660"),
            *("-CAkey", str(self.folder / (self.name + ".key"))),
            *("-extfile", str(extensions)),
        )
        return str(path), str(self.folder / (name + ".key"))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority(tmp_path_factory.mktemp("ca"), "ours")
    made.sign("server", "/CN=localhost")
    made.sign("client", '/O=Miller, Inc/CN=Bj\u00f6rn "x"')
    return made


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority(tmp_path_factory.mktemp("strange"), "theirs")
    made.sign("client", "/CN=client")
    return made


def pair(authority: Authority, name: str) -> dict[str, str]:
    base = str(authority.folder / name)
    return {"certfile": base + ".pem", "keyfile": base + ".key"}


def app(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [])
    found = {k: v for k, v in environ.items() if k.startswith("SSL_")}
    return [json.dumps(found).encode()]


def context_for(
    authority: Authority, client: dict[str, str] | None = None
) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authority.cert)
    if client is not None:
        context.load_cert_chain(client["certfile"], client["keyfile"])
    return context


def get(
    server: Any,
    context: ssl.SSLContext,
    host: str = "localhost",
    session: Any = None,
) -> tuple[dict[str, str], dict[str, Any]]:
    """What the application saw of TLS, and what the client did."""
    sock = socket.create_connection(server.address[:2], 30)
    tls = context.wrap_socket(sock, server_hostname=host, session=session)
    tls.sendall(REQUEST)
    data = b""
    with contextlib.closing(tls):
        while True:
            piece = tls.recv(65536)
            if not piece:
                break
            data += piece
        seen = {
            "session": tls.session,
            "reused": tls.session_reused,
            "cipher": tls.cipher(),
        }
    head, _, body = data.partition(b"\r\n\r\n")
    if not head:
        raise ConnectionResetError
    assert head.startswith(b"HTTP/1.1 200 "), head
    return json.loads(body), seen


@pytest.fixture(params=[0, 2], ids=["loop", "threads"])
def secured(
    request: pytest.FixtureRequest, serve_app: Start, authority: Authority
) -> Callable[..., Any]:
    def start(**settings: Any) -> Any:
        settings = {**pair(authority, "server"), **settings}
        return serve_app(app, threads=request.param, **settings)

    return start


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_a_client_without_a_good_certificate_is_not_served(
    secured: Any, authority: Authority, stranger: Authority, version: str
) -> None:
    server = secured(cert_reqs=2, ca_certs=authority.cert)
    for client in (None, pair(stranger, "client")):
        context = context_for(authority, client)
        context.maximum_version = ssl.TLSVersion[version]
        with pytest.raises(REFUSED):
            get(server, context)
    assert server.stats()["requests"] == 0
    context = context_for(authority, pair(authority, "client"))
    assert get(server, context)[0]["SSL_CLIENT_VERIFY"] == "SUCCESS"


def test_who_the_client_is(secured: Any, authority: Authority) -> None:
    server = secured(cert_reqs=2, ca_certs=authority.cert)
    client = pair(authority, "client")
    found, _ = get(server, context_for(authority, client))
    assert found["SSL_CLIENT_S_DN"] == (
        'CN=Bj\\C3\\B6rn \\"x\\",O=Miller\\, Inc'
    )
    assert found["SSL_CLIENT_S_DN_CN"] == 'Bj\\C3\\B6rn "x"'
    assert found["SSL_CLIENT_I_DN"] == "CN=ours"
    assert found["SSL_CLIENT_M_SERIAL"] == "1234"
    assert found["SSL_PROTOCOL"] == "TLSv1.3"
    ours = ssl.PEM_cert_to_DER_cert(Path(client["certfile"]).read_text())
    assert ssl.PEM_cert_to_DER_cert(found["SSL_CLIENT_CERT"]) == ours


def test_an_optional_certificate(
    secured: Any, authority: Authority, stranger: Authority
) -> None:
    server = secured(cert_reqs=1, ca_certs=authority.cert)
    found, _ = get(server, context_for(authority))
    assert found["SSL_CLIENT_VERIFY"] == "NONE"
    assert "SSL_CLIENT_S_DN" not in found
    found, _ = get(server, context_for(authority, pair(authority, "client")))
    assert found["SSL_CLIENT_VERIFY"] == "SUCCESS"
    with pytest.raises(REFUSED):
        get(server, context_for(authority, pair(stranger, "client")))
    found, _ = get(server, context_for(authority))
    assert found["SSL_CLIENT_VERIFY"] == "NONE"  # not the one before


def test_a_resumed_session_keeps_its_client(
    secured: Any, authority: Authority
) -> None:
    server = secured(cert_reqs=2, ca_certs=authority.cert)
    context = context_for(authority, pair(authority, "client"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    first, seen = get(server, context)
    second, again = get(server, context, session=seen["session"])
    assert again["reused"]
    assert second["SSL_CLIENT_S_DN"] == first["SSL_CLIENT_S_DN"]


def test_without_cert_reqs_nothing_is_said_of_clients(
    secured: Any, authority: Authority
) -> None:
    server = secured()
    client = pair(authority, "client")
    assert get(server, context_for(authority, client))[0] == {}


def test_versions_and_ciphers(secured: Any, authority: Authority) -> None:
    context = context_for(authority)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(REFUSED):
        get(secured(ssl_protocol_min="tls1.3"), context)
    name = "ECDHE-ECDSA-AES256-GCM-SHA384"
    server = secured(ciphers="%s:TLS_CHACHA20_POLY1305_SHA256" % name)
    assert get(server, context)[1]["cipher"][0] == name
    used = get(server, context_for(authority))[1]["cipher"]
    assert used[0] == "TLS_CHACHA20_POLY1305_SHA256"
    context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    with pytest.raises(REFUSED):
        get(server, context)


def common_name(server: Any, authority: Authority, host: str) -> str:
    context = context_for(authority)
    context.check_hostname = False
    with socket.create_connection(server.address[:2], 30) as sock:
        tls = context.wrap_socket(sock, server_hostname=host)
        subject: Any = tls.getpeercert()
        return str(subject["subject"][0][0][1])


def test_certificates_by_host_name(
    secured: Any, authority: Authority, tmp_path: Path
) -> None:
    entries = []
    for host in ("a.example", "*.b.example"):
        name = host.replace("*", "any")
        cert, key = authority.sign(name, "/CN=" + host, host)
        entries.append("%s=%s,%s" % (host, cert, key))
    server = secured(sni_certs="; ".join(entries))
    asked = {
        "a.example": "a.example",
        "A.EXAMPLE": "a.example",
        "x.b.example": "*.b.example",
        "x.y.b.example": "localhost",
        "b.example": "localhost",
        "elsewhere.example": "localhost",
    }
    for host, name in asked.items():
        assert common_name(server, authority, host) == name, host


def test_required_certificates_are_required_under_every_name(
    secured: Any, authority: Authority
) -> None:
    cert, key = authority.sign("other", "/CN=other.example", "other.example")
    server = secured(
        cert_reqs=2,
        ca_certs=authority.cert,
        sni_certs="other.example=%s,%s" % (cert, key),
    )
    for host in ("localhost", "other.example"):
        with pytest.raises(REFUSED):
            get(server, context_for(authority), host)
        context = context_for(authority, pair(authority, "client"))
        found, _ = get(server, context, host)
        assert found["SSL_CLIENT_VERIFY"] == "SUCCESS"


def test_files_are_read_again(
    secured: Any, authority: Authority, tmp_path: Path
) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"

    def put(name: str) -> None:
        made, made_key = authority.sign(name, "/CN=" + name)
        cert.write_bytes(Path(made).read_bytes())
        key.write_bytes(Path(made_key).read_bytes())

    put("before")
    server = secured(certfile=str(cert), keyfile=str(key))
    assert common_name(server, authority, "localhost") == "before"
    context = context_for(authority)
    old = context.wrap_socket(
        socket.create_connection(server.address[:2], 30),
        server_hostname="localhost",
    )
    put("after")
    server.core.tls_reload()
    assert common_name(server, authority, "localhost") == "after"
    old.sendall(REQUEST)  # it goes on under what it began with
    assert old.recv(9) == b"HTTP/1.1 "
    old.close()
    cert.write_text("nothing of use")
    with pytest.raises(OSError, match="certificate"):
        server.core.tls_reload()
    assert common_name(server, authority, "localhost") == "after"


def test_an_encrypted_key(
    secured: Any, authority: Authority, tmp_path: Path
) -> None:
    key = str(tmp_path / "locked.key")
    plain = pair(authority, "server")["keyfile"]
    openssl(
        *("ec", "-aes128", "-passout", "pass:secret"),
        *("-in", plain, "-out", key),
    )
    server = secured(keyfile=key, keyfile_password="secret")
    assert common_name(server, authority, "localhost") == "localhost"
    for password in (None, "wrong"):
        with pytest.raises(UsageError, match="keyfile_password"):
            secured(keyfile=key, keyfile_password=password)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"cert_reqs": 3}, "cert_reqs is 0"),
        ({"cert_reqs": 2}, "needs ca_certs"),
        ({"ca_certs": "x.pem"}, "of no use unless cert_reqs"),
        ({"cert_reqs": 1, "ca_certs": "/nowhere.pem"}, "as ca_certs: No such"),
        ({"ciphers": "NO-SUCH"}, "knows none"),
        ({"ssl_protocol_min": "ssl3"}, "ssl_protocol_min is one of"),
        ({"sni_certs": "a.example"}, "sni_certs is like"),
        ({"sni_certs": "a=/nowhere.pem"}, "/nowhere.pem for TLS: No such"),
    ],
)
def test_what_is_wrong_is_named(
    secured: Any, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        secured(**settings)


@pytest.mark.parametrize(
    "name", ["cert_reqs", "ca_certs", "ciphers", "sni_certs"]
)
def test_without_a_certificate_it_is_of_no_use(
    serve_app: Start, name: str
) -> None:
    with pytest.raises(UsageError, match=name + " is of no use"):
        serve_app(app, **{name: 1 if name == "cert_reqs" else "x"})


SERVE = """
import sys, wsgibench
def app(environ, start_response):
    start_response("200 OK", [])
    return [b""]
wsgibench.serve(app, port=0, announce=True, certfile=sys.argv[1],
                keyfile=sys.argv[2])
"""


@pytest.mark.parametrize("alone", [True, False])
def test_sighup_reads_them_again(
    binding: str, authority: Authority, tmp_path: Path, alone: bool
) -> None:
    """An application that was given as an object goes on; of one that can be
    imported there are new workers."""
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"

    def put(name: str) -> None:
        made, made_key = authority.sign(name, "/CN=" + name)
        cert.write_bytes(Path(made).read_bytes())
        key.write_bytes(Path(made_key).read_bytes())

    class At:
        address: tuple[str, int]

    def has(name: str) -> bool:
        return common_name(At, authority, "localhost") == name

    put("first")
    (tmp_path / "an_app.py").write_text(
        "def application(environ, start_response):\n"
        "    start_response('200 OK', [])\n"
        "    return [b'']\n"
    )
    command = [sys.executable, "-c", SERVE, str(cert), str(key)]
    if not alone:
        command = serve_command(
            "an_app",
            "--port=0",
            "--certfile=%s" % cert,
            "--keyfile=%s" % key,
        )
    with programs() as start:
        program = start(command, {"WSGIBENCH_BACKEND": binding}, tmp_path)
        line = program.line("serving on https://")
        At.address = (
            "127.0.0.1",
            int(line.split(" (")[0].rpartition(":")[2]),
        )
        assert has("first")
        put("second")
        program.process.send_signal(signal.SIGHUP)
        until(lambda: has("second"), "the new certificate")
        if alone:
            cert.write_text("nothing of use")
            program.process.send_signal(signal.SIGHUP)
            program.line("the old certificates stay")
            assert has("second")
        assert program.stop() == 0, program.text

"""Behind proxies: who is believed, and what follows from it."""

from __future__ import annotations

import json
import socket
import ssl
import struct
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.native.test_tls import certificate  # noqa: F401  (a fixture)
from wsgibench.errors import UsageError

Start = Callable[..., Any]
TRUSTED, STRANGER = "127.0.0.1", "127.0.0.2"
NAMES = (
    "REMOTE_ADDR",
    "wsgi.url_scheme",
    "HTTP_HOST",
    "SERVER_NAME",
    "SERVER_PORT",
    "SCRIPT_NAME",
    "PATH_INFO",
    "REMOTE_PORT",
)


def app(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [])
    return [json.dumps({name: environ[name] for name in NAMES}).encode()]


def request(*fields: str, path: str = "/", last: bool = True) -> bytes:
    head = ["GET %s HTTP/1.1" % path, "Host: h", *fields]
    head += ["Connection: close"] if last else []
    return "\r\n".join([*head, "", ""]).encode("latin-1")


def connect(server: Any, source: str = TRUSTED) -> socket.socket:
    if isinstance(server.address, str):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(30)
        sock.connect(server.address)
        return sock
    return socket.create_connection(
        server.address[:2], 30, source_address=(source, 0)
    )


def receive(sock: socket.socket) -> bytes:
    data = b""
    while True:
        try:
            piece = sock.recv(65536)
        except ConnectionResetError:
            return data
        if not piece:
            return data
        data += piece


def ask(server: Any, raw: bytes, source: str = TRUSTED) -> Any:
    """What the application saw; None: the connection was closed."""
    with connect(server, source) as sock:
        sock.sendall(raw)
        data = receive(sock)
    if not data:
        return None
    assert data.startswith(b"HTTP/1.1 200 "), data
    return json.loads(data.partition(b"\r\n\r\n")[2])


# X-Forwarded-*, Forwarded ---------------------------------------------------


def test_what_a_trusted_proxy_says(serve_app: Start) -> None:
    server = serve_app(app, forwarded_allow_ips=TRUSTED)
    seen = ask(
        server,
        request(
            "X-Forwarded-For: 192.0.2.1",
            "X-Forwarded-Proto: https",
            "X-Forwarded-Host: shop.example",
        ),
    )
    assert seen["REMOTE_ADDR"] == "192.0.2.1"
    assert seen["REMOTE_PORT"] == ""
    assert seen["wsgi.url_scheme"] == "https"
    assert seen["HTTP_HOST"] == seen["SERVER_NAME"] == "shop.example"
    assert seen["SERVER_PORT"] == "443"


LIES = (
    "X-Forwarded-For: 192.0.2.1",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: evil.example",
    'Forwarded: for=192.0.2.1;proto=https;host="evil.example"',
)


@pytest.mark.parametrize("trusted", [None, "", "10.0.0.0/8,unix", TRUSTED])
def test_others_change_nothing(serve_app: Start, trusted: Any) -> None:
    server = serve_app(app, forwarded_allow_ips=trusted)
    seen = ask(server, request(*LIES), STRANGER)
    assert seen["REMOTE_ADDR"] == STRANGER
    assert seen["wsgi.url_scheme"] == "http"
    assert seen["HTTP_HOST"] == "h"
    assert seen["SERVER_PORT"] == str(server.address[1])


@pytest.mark.parametrize("threads", [0, 2])
def test_the_same_header_block_from_both(
    serve_app: Start, threads: int
) -> None:
    """Blocks are remembered byte for byte: who sent one before must not count
    for who sends it now, in either direction."""
    server = serve_app(app, forwarded_allow_ips=TRUSTED, threads=threads)
    raw = request(*LIES)
    for source in [TRUSTED] * 4 + [STRANGER] * 4 + [TRUSTED, STRANGER] * 4:
        seen = ask(server, raw, source)
        good = source == TRUSTED
        assert seen["REMOTE_ADDR"] == ("192.0.2.1" if good else STRANGER)
        assert seen["wsgi.url_scheme"] == ("https" if good else "http")
        assert seen["HTTP_HOST"] == ("evil.example" if good else "h")
        assert seen["SERVER_NAME"] == (
            "evil.example" if good else server.address[0]
        )
    assert server.stats()["memo_hits"] > 0


def test_on_one_connection(serve_app: Start) -> None:
    server = serve_app(app, forwarded_allow_ips=TRUSTED)
    with connect(server) as sock:
        for _ in range(3):
            sock.sendall(request("X-Forwarded-For: 192.0.2.7", last=False))
            assert b'"192.0.2.7"' in sock.recv(65536)
            sock.sendall(request(last=False))
            assert b'"127.0.0.1"' in sock.recv(65536)


@pytest.mark.parametrize(
    ("value", "client"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("6.6.6.6, 192.0.2.1", "192.0.2.1"),  # the first was forged
        ("6.6.6.6, 192.0.2.1, 10.1.2.3", "192.0.2.1"),
        ("192.0.2.1,10.1.2.3,\t10.9.9.9 ", "192.0.2.1"),
        ("10.1.2.3, 10.1.2.4", "10.1.2.3"),  # all are ours: the first
        ("192.0.2.1:4711", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:DB8::1]:4711", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("192.0.2.1, ::ffff:10.1.2.3", "192.0.2.1"),
        ("unknown", TRUSTED),
        ("192.0.2.1, unknown, 10.1.2.3", "10.1.2.3"),
        ("", TRUSTED),
        (",", TRUSTED),
        ("192.0.2.1,", "192.0.2.1"),
        ("192.0.2.1, ,10.1.2.3", "192.0.2.1"),
        ("1.2.3", TRUSTED),
        ("192.0.2.1:99999", TRUSTED),
        ("[2001:db8::1", TRUSTED),
        ("<script>", TRUSTED),
        ("6.6.6.6, " * 100 + "192.0.2.1, 10.0.0.1", "192.0.2.1"),
    ],
)
def test_the_rightmost_that_is_not_trusted(
    serve_app: Start, value: str, client: str
) -> None:
    server = serve_app(app, forwarded_allow_ips="127.0.0.1, 10.0.0.0/8")
    seen = ask(server, request("X-Forwarded-For: " + value))
    assert seen["REMOTE_ADDR"] == client


def test_everybody_is_trusted(serve_app: Start) -> None:
    server = serve_app(app, forwarded_allow_ips="*")
    raw = request("X-Forwarded-For: 192.0.2.1, 192.0.2.2")
    assert ask(server, raw, STRANGER)["REMOTE_ADDR"] == "192.0.2.1"


def test_several_fields_are_one_list(serve_app: Start) -> None:
    server = serve_app(app, forwarded_allow_ips=TRUSTED)
    raw = request("X-Forwarded-For: 6.6.6.6", "X-Forwarded-For: 192.0.2.1")
    assert ask(server, raw)["REMOTE_ADDR"] == "192.0.2.1"


def test_a_name_with_an_underscore_is_another(serve_app: Start) -> None:
    server = serve_app(app, forwarded_allow_ips=TRUSTED)
    raw = request("X_Forwarded_For: 6.6.6.6", "X-Forwarded_Proto: https")
    seen = ask(server, raw)
    assert seen["REMOTE_ADDR"] == TRUSTED
    assert seen["wsgi.url_scheme"] == "http"


def test_names_with_an_underscore_that_are_kept(serve_app: Start) -> None:
    """Under a name that no other field has."""

    def names(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [])
        found = {key: environ[key] for key in environ if "X_" in key}
        found |= {key: environ[key] for key in environ if "/" in key}
        return [json.dumps(found).encode()]

    lines = "X_User: 1", "X-User: 2", "x_id: 3", "x_user: 4", "X_USER_2: 5"
    kept = {"HTTP_X/USER": "1, 4", "HTTP_X_USER": "2"}
    all_of_them = {**kept, "HTTP_X/ID": "3", "HTTP_X/USER/2": "5"}
    for text, seen in (("X_USER, X_nobody", kept), ("*", all_of_them)):
        server = serve_app(names, underscored_headers=text)
        for _ in range(3):
            assert ask(server, request(*lines)) == seen


@pytest.mark.parametrize(
    ("value", "scheme"),
    [
        ("HTTPS", "https"),
        ("wss", "https"),
        ("http", "http"),
        ("https, http", "http"),  # the last proxy's word
        ("gopher", "http"),
        ("https x", "http"),
        ("", "http"),
    ],
)
def test_schemes(serve_app: Start, value: str, scheme: str) -> None:
    server = serve_app(app, forwarded_allow_ips=TRUSTED)
    seen = ask(server, request("X-Forwarded-Proto: " + value))
    assert seen["wsgi.url_scheme"] == scheme


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a.example:8443", ("a.example:8443", "a.example", "8443")),
        ("a.example:", ("a.example:", "a.example", "80")),
        ("[::1]:81", ("[::1]:81", "[::1]", "81")),
        ("[::1]", ("[::1]", "[::1]", "80")),
        ("6.example, a.example", ("a.example", "a.example", "80")),
        ("a b", None),
        ("a/b", None),
        ("", None),
        ("a.example:99999", None),
    ],
)
def test_hosts(serve_app: Start, value: str, expected: Any) -> None:
    server = serve_app(app, forwarded_allow_ips=TRUSTED)
    seen = ask(server, request("X-Forwarded-Host: " + value))
    own = ("h", server.address[0], str(server.address[1]))
    found = (seen["HTTP_HOST"], seen["SERVER_NAME"], seen["SERVER_PORT"])
    assert found == (expected or own)


@pytest.mark.parametrize(
    ("value", "client", "scheme", "host"),
    [
        ("for=192.0.2.1;proto=https;host=a.example", 1, "https", "a.example"),
        ('For="192.0.2.1:80" ; Proto=HTTPS', 1, "https", "h"),
        ('for="[2001:db8::1]:47"', "2001:db8::1", "http", "h"),
        ("for=6.6.6.6;proto=https, for=192.0.2.1", 1, "http", "h"),
        ("for=192.0.2.1;proto=https, for=10.0.0.1", 1, "https", "h"),
        ("for=unknown;proto=https", 0, "https", "h"),
        ('for="_hidden"', 0, "http", "h"),
        ('by="a,b;for=6.6.6.6";for=192.0.2.1', 1, "http", "h"),
        ('for="192.0.2.1', 0, "http", "h"),
        ('host="a b"', 0, "http", "h"),
        ("for", 0, "http", "h"),
        (";;,;", 0, "http", "h"),
    ],
)
def test_forwarded(
    serve_app: Start, value: str, client: Any, scheme: str, host: str
) -> None:
    server = serve_app(app, forwarded_allow_ips="127.0.0.1,10.0.0.0/8")
    seen = ask(server, request("Forwarded: " + value))
    client = {0: TRUSTED, 1: "192.0.2.1"}.get(client, client)
    assert seen["REMOTE_ADDR"] == client
    assert (seen["wsgi.url_scheme"], seen["HTTP_HOST"]) == (scheme, host)


def test_a_client_cannot_add_forwarded_to_what_a_proxy_says(
    serve_app: Start,
) -> None:
    """A proxy that sets X-Forwarded-For passes Forwarded on as it came."""
    server = serve_app(app, forwarded_allow_ips=TRUSTED)
    seen = ask(
        server,
        request(
            "Forwarded: for=6.6.6.6;proto=https;host=evil.example",
            "X-Forwarded-For: 192.0.2.1",
        ),
    )
    assert seen["REMOTE_ADDR"] == "192.0.2.1"
    assert (seen["wsgi.url_scheme"], seen["HTTP_HOST"]) == ("http", "h")


def test_only_some_fields(serve_app: Start) -> None:
    server = serve_app(
        app,
        forwarded_allow_ips=TRUSTED,
        forwarded_headers="X-Forwarded-Proto",
    )
    seen = ask(server, request(*LIES))
    assert seen["wsgi.url_scheme"] == "https"
    assert (seen["REMOTE_ADDR"], seen["HTTP_HOST"]) == (TRUSTED, "h")


def test_clients_of_a_unix_socket(serve_app: Start, tmp_path: Path) -> None:
    raw = request("X-Forwarded-For: 192.0.2.1")
    for trusted, client in (("unix", "192.0.2.1"), (TRUSTED, "")):
        path = tmp_path / ("s" + trusted)
        server = serve_app(
            app, bind="unix:%s" % path, forwarded_allow_ips=trusted
        )
        assert ask(server, raw)["REMOTE_ADDR"] == client


def test_the_log_names_the_client(serve_app: Start, tmp_path: Path) -> None:
    path = tmp_path / "log"
    server = serve_app(
        app,
        forwarded_allow_ips=TRUSTED,
        access_log=str(path),
        log_format="%(h)s",
    )
    raw = request("X-Forwarded-For: 192.0.2.1")
    ask(server, raw)
    ask(server, raw, STRANGER)
    server.stop()
    assert path.read_text() == "192.0.2.1\n127.0.0.2\n"


# Where it is mounted --------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "script", "info"),
    [
        ("/app/x", "/app", "/x"),
        ("/app", "/app", ""),
        ("/app/", "/app", "/"),
        ("/%61pp/x", "/app", "/x"),
        ("/application", "/app", "/application"),
        ("/x", "/app", "/x"),  # the proxy has cut it off
        ("http://h/app/x", "/app", "/x"),
    ],
)
def test_root_path(
    serve_app: Start, path: str, script: str, info: str
) -> None:
    server = serve_app(app, root_path="/app/")
    for _ in range(3):  # from the memo, too
        seen = ask(server, request(path=path))
        assert (seen["SCRIPT_NAME"], seen["PATH_INFO"]) == (script, info)


# The PROXY protocol ---------------------------------------------------------

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V4 = socket.inet_aton("192.0.2.1") + socket.inet_aton("10.0.0.1")
V6 = socket.inet_pton(socket.AF_INET6, "2001:db8::1") * 2
PORTS = struct.pack("!HH", 4711, 80)


def v2(
    body: bytes, family: int = 0x11, command: int = 0x21, cut: int = 0
) -> bytes:
    head = struct.pack("!BBH", command, family, len(body) - cut)
    return SIGNATURE + head + body


GOOD = [
    (b"PROXY TCP4 192.0.2.1 10.0.0.1 4711 80\r\n", "192.0.2.1", "4711"),
    (b"PROXY TCP6 2001:DB8::1 ::1 4711 80\r\n", "2001:db8::1", "4711"),
    (b"PROXY UNKNOWN\r\n", TRUSTED, None),
    (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", TRUSTED, None),
    (v2(V4 + PORTS), "192.0.2.1", "4711"),
    (v2(V6 + PORTS, 0x21), "2001:db8::1", "4711"),
    (v2(b"\0" * 216, 0x31), "", ""),
    (v2(V4 + PORTS + b"\x04\0\x03abc" * 400), "192.0.2.1", "4711"),
    (v2(b"", 0x00, 0x20), TRUSTED, None),  # LOCAL
    (v2(V4 + PORTS, 0x11, 0x20), TRUSTED, None),
    (v2(b"", 0x00), TRUSTED, None),
]


@pytest.mark.parametrize(("header", "client", "port"), GOOD)
@pytest.mark.parametrize("threads", [0, 1])
def test_a_proxy_header(
    serve_app: Start, header: bytes, client: str, port: Any, threads: int
) -> None:
    server = serve_app(app, proxy_protocol=1, threads=threads)
    raw = request()
    seen = ask(server, header + raw)
    assert seen["REMOTE_ADDR"] == client
    if port is not None:
        assert seen["REMOTE_PORT"] == port
    with connect(server) as sock:
        for at in range(len(header[:60])):
            sock.sendall(header[at : at + 1])
        sock.sendall(header[60:] + raw[:9])
        sock.sendall(raw[9:])
        data = receive(sock)
    assert json.loads(data.partition(b"\r\n\r\n")[2])["REMOTE_ADDR"] == client


BAD = [
    request(),
    b"PROXY TCP4 192.0.2.1 10.0.0.1 4711 80\n" + request(),
    b"PROXY TCP4 192.0.2.1 10.0.0.1 4711 99999\r\n" + request(),
    b"PROXY TCP4 192.0.2.1 10.0.0.1 4711\r\n" + request(),
    b"PROXY TCP4 192.0.2.1 10.0.0.1 4711 80 \r\n" + request(),
    b"PROXY TCP4 192.0.2.1 10.0.0.1 4711 80 7\r\n" + request(),
    b"PROXY TCP4  192.0.2.1 10.0.0.1 4711 80\r\n" + request(),
    b"PROXY TCP4 2001:db8::1 ::1 4711 80\r\n" + request(),
    b"PROXY TCP6 192.0.2.1 10.0.0.1 4711 80\r\n" + request(),
    b"PROXY TCP5 192.0.2.1 10.0.0.1 4711 80\r\n" + request(),
    b"proxy TCP4 192.0.2.1 10.0.0.1 4711 80\r\n" + request(),
    b"PROXY \r\n" + request(),
    b"PROXY UNKNOWN " + b"x" * 200 + b"\r\n" + request(),
    v2(V4 + PORTS, 0x12) + request(),  # UDP
    v2(V4 + PORTS, 0x44) + request(),
    v2(V4 + PORTS, 0x11, 0x22) + request(),  # no such command
    v2(V4 + PORTS, 0x11, 0x11) + request(),  # no such version
    v2(V4 + PORTS, 0x21) + request(),  # too short for IPv6
    v2(V4) + request(),
    v2(b"\0" * 215, 0x31) + request(),
    v2(V4 + PORTS + b"\0" * 5000) + request(),
    SIGNATURE[:-1] + b"X" + request(),
    b"\x16\x03\x01" + b"\0" * 100,
]


@pytest.mark.parametrize("raw", BAD)
def test_what_is_no_proxy_header(serve_app: Start, raw: bytes) -> None:
    server = serve_app(app, proxy_protocol=1)
    assert ask(server, raw) is None
    assert ask(server, GOOD[0][0] + request()) is not None
    assert server.stats()["requests"] == 1


def test_a_second_header_is_no_request(serve_app: Start) -> None:
    server = serve_app(app, proxy_protocol=1)
    with connect(server) as sock:
        sock.sendall(GOOD[0][0] * 2 + request())
        assert receive(sock).startswith(b"HTTP/1.1 400 ")


def test_who_may_send_it(serve_app: Start) -> None:
    header = GOOD[0][0]
    required = serve_app(app, proxy_protocol=1, proxy_allow_ips=TRUSTED)
    assert ask(required, header + request(), STRANGER) is None
    assert ask(required, request(), STRANGER) is None
    some = serve_app(app, proxy_protocol=2, proxy_allow_ips=TRUSTED)
    assert ask(some, request(), STRANGER)["REMOTE_ADDR"] == STRANGER
    assert ask(some, request()) is None
    assert ask(some, header + request())["REMOTE_ADDR"] == "192.0.2.1"
    with connect(some, STRANGER) as sock:
        sock.sendall(header + request())
        assert receive(sock).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("begun", [b"", b"PROXY TCP4 192", SIGNATURE + b"!"])
def test_its_deadline(serve_app: Start, begun: bytes) -> None:
    server = serve_app(app, proxy_protocol=1, head_timeout=0.2)
    with connect(server) as sock:
        sock.sendall(begun)
        assert receive(sock) == b""
    assert server.stats()["timeouts"] + server.stats()["refused"] == 1


def test_who_has_sent_it_may_be_silent(serve_app: Start) -> None:
    server = serve_app(app, proxy_protocol=1, head_timeout=1, idle_timeout=600)
    with connect(server) as silent, connect(server) as cut:
        silent.sendall(GOOD[0][0])
        assert receive(cut) == b""
        silent.sendall(request())
        assert b"192.0.2.1" in receive(silent)


def test_trust_is_for_the_address_in_the_header(serve_app: Start) -> None:
    """The balancer is not the one that set X-Forwarded-For."""
    server = serve_app(
        app, proxy_protocol=1, forwarded_allow_ips="10.0.0.9,127.0.0.1"
    )
    forwarded = request("X-Forwarded-For: 192.0.2.77")
    line = b"PROXY TCP4 %s 10.0.0.1 4711 80\r\n"
    seen = ask(server, line % b"10.0.0.9" + forwarded)
    assert seen["REMOTE_ADDR"] == "192.0.2.77"
    seen = ask(server, line % b"192.0.2.5" + forwarded)
    assert seen["REMOTE_ADDR"] == "192.0.2.5"


def test_it_comes_before_tls(
    serve_app: Start,
    certificate: Any,  # noqa: F811
) -> None:
    cert, key = certificate
    server = serve_app(app, proxy_protocol=1, certfile=cert, keyfile=key)
    context = ssl.create_default_context(cafile=cert)
    with connect(server) as sock:
        sock.sendall(GOOD[0][0])
        tls = context.wrap_socket(sock, server_hostname="localhost")
        tls.sendall(request())
        assert b'"REMOTE_ADDR": "192.0.2.1"' in receive(tls)


def test_with_a_unix_socket(serve_app: Start, tmp_path: Path) -> None:
    server = serve_app(
        app, bind="unix:%s" % (tmp_path / "s"), proxy_protocol=1
    )
    seen = ask(server, GOOD[0][0] + request())
    assert seen["REMOTE_ADDR"] == "192.0.2.1"


# Wrong use ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"forwarded_allow_ips": "localhost"}, "forwarded_allow_ips is a"),
        ({"forwarded_allow_ips": "10.0.0.0/33"}, "'10.0.0.0/33' is none"),
        ({"proxy_allow_ips": "x"}, "proxy_allow_ips is a list"),
        ({"forwarded_headers": "x-real-ip"}, "forwarded_headers names"),
        ({"proxy_protocol": 3}, "proxy_protocol is 0"),
        ({"root_path": "app"}, "root_path is like"),
        ({"underscored_headers": "X-A"}, "underscored_headers names"),
    ],
)
def test_what_is_wrong_is_named(
    serve_app: Start, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        serve_app(app, **settings)


@pytest.mark.parametrize(
    ("name", "field"), [("Apache", b"Server: Apache\r\n"), ("none", b"")]
)
def test_server_header(serve_app: Start, name: str, field: bytes) -> None:
    server = serve_app(app, server_header=name)
    with connect(server) as sock:
        sock.sendall(request())
        head = receive(sock).partition(b"\r\n\r\n")[0] + b"\r\n"
    assert field in head
    assert (b"Server:" in head) == bool(field)

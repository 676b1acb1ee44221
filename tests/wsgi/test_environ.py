"""environ: PEP 3333 "environ Variables", RFC 3875 4.1."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.wire.target import Target
from tests.wsgi.app import answer, note, plain
from tests.wsgi.client import LAST, Client, request


def report(environ: dict[str, Any], start_response: Any) -> Any:
    """Types and values, as far as JSON holds them."""
    seen = {key: [type(v).__name__, repr(v)] for key, v in environ.items()}
    cgi = {k: v for k, v in environ.items() if k.isupper()}
    payload = {
        "type": type(environ).__name__,
        "seen": seen,
        "cgi": cgi,
        "version": environ["wsgi.version"] == (1, 0)
        and type(environ["wsgi.version"]) is tuple,
        "flags": [
            environ["wsgi.multithread"],
            environ["wsgi.multiprocess"],
            environ["wsgi.run_once"],
        ],
        "scheme": environ["wsgi.url_scheme"],
        "callable": callable(environ.get("wsgi.file_wrapper", len)),
    }
    return answer(start_response, payload)


def spoil(environ: dict[str, Any], start_response: Any) -> Any:
    note("marked", "spoilt" in environ, environ.get("HTTP_X_SPOIL"))
    environ["spoilt"] = True
    environ["HTTP_X_SPOIL"] = "changed"
    environ["wsgi.url_scheme"] = "gopher"
    environ.pop("HTTP_HOST", None)
    return plain(start_response, b"ok")


def identity(environ: dict[str, Any], start_response: Any) -> Any:
    note("host", environ["HTTP_HOST"], environ["wsgi.url_scheme"])
    environ.clear()
    return plain(start_response, b"ok")


def seen_by(client: Client, **more: Any) -> dict[str, Any]:
    return dict(json.loads(client.ask(report, **more).body))


def test_is_a_builtin_dict(client: Client) -> None:
    assert seen_by(client)["type"] == "dict"


def test_is_fresh_for_every_request(client: Client) -> None:
    """Also when header blocks repeat byte for byte."""
    one = request(spoil, fields=("X-Spoil: sent",))
    assert len(client.exchange(one * 5 + LAST)) == 6
    client.exchange(one + LAST)
    # An iterable of the test before may be closed only now.
    notes = [note for note in client.notes() if note[0] == "marked"]
    assert notes == [["marked", False, "sent"]] * 6


def test_cleared_environ_leaves_the_next_alone(client: Client) -> None:
    client.exchange(request(identity) * 5 + LAST)
    assert client.notes() == [["host", "a", "http"]] * 5


@pytest.mark.parametrize(
    "key",
    [
        "REQUEST_METHOD",
        "SERVER_NAME",
        "SERVER_PORT",
        "SERVER_PROTOCOL",
        "PATH_INFO",
    ],
)
def test_required_keys(client: Client, key: str) -> None:
    kind, value = seen_by(client)["seen"][key]
    assert kind == "str"
    assert value != "''"


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("SCRIPT_NAME", "str"),
        ("QUERY_STRING", "str"),
        ("wsgi.version", "tuple"),
        ("wsgi.url_scheme", "str"),
    ],
)
def test_types(client: Client, key: str, kind: str) -> None:
    assert seen_by(client)["seen"][key][0] == kind


def test_wsgi_version_is_the_tuple_1_0(client: Client) -> None:
    assert seen_by(client)["version"] is True


def test_scheme_is_http(client: Client) -> None:
    assert seen_by(client)["scheme"] == "http"


def test_every_cgi_value_is_latin_1_text(client: Client) -> None:
    fields = ("X-Latin: caf\xe9", "X-Empty:", "X-High: \xff\x80")
    seen = seen_by(client, fields=fields)
    for key, (kind, _) in seen["seen"].items():
        if "." not in key:
            assert kind == "str", key
    for value in seen["cgi"].values():
        value.encode("latin-1")
    assert seen["cgi"]["HTTP_X_LATIN"] == "caf\xe9"
    assert seen["cgi"]["HTTP_X_HIGH"] == "\xff\x80"


def test_type_and_length_have_no_prefix(client: Client) -> None:
    seen = seen_by(
        client,
        method="POST",
        body=b"12345",
        fields=("Content-Type: text/x",),
    )["cgi"]
    assert seen["CONTENT_LENGTH"] == "5"
    assert seen["CONTENT_TYPE"] == "text/x"
    assert "HTTP_CONTENT_TYPE" not in seen
    assert "HTTP_CONTENT_LENGTH" not in seen


def test_length_is_absent_or_digits(client: Client) -> None:
    for more in ({}, {"method": "POST", "chunked": True, "body": b"abc"}):
        length = seen_by(client, **more)["cgi"].get("CONTENT_LENGTH", "")
        assert length == "" or length.isdigit()


def test_protocol_is_the_client_s(client: Client) -> None:
    assert seen_by(client)["cgi"]["SERVER_PROTOCOL"] == "HTTP/1.1"
    keep = ("Connection: keep-alive",)
    old = seen_by(client, version="1.0", fields=keep)
    assert old["cgi"]["SERVER_PROTOCOL"] == "HTTP/1.0"


def test_peer_is_named(client: Client) -> None:
    with client.connection() as sock:
        port = sock.getsockname()[1]
        sock.sendall(request(report, fields=("Connection: close",)))
        data = client.read_all(sock)
    seen = json.loads(data.partition(b"\r\n\r\n")[2])["cgi"]
    assert seen["REMOTE_ADDR"] == "127.0.0.1"
    assert seen.get("REMOTE_PORT", str(port)) == str(port)


def test_server_port_is_the_listener_s(client: Client, target: Target) -> None:
    seen = seen_by(client)["cgi"]
    assert seen["SERVER_PORT"] == str(target.address[1])


def test_flags_are_true_to_the_settings(
    client: Client, target: Target
) -> None:
    multithread, multiprocess, run_once = seen_by(client)["flags"]
    assert bool(multithread) is (target.mode == "threads")
    assert not multiprocess
    assert not run_once


def test_file_wrapper_is_callable(client: Client) -> None:
    assert seen_by(client)["callable"] is True


def client_of(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    return answer(
        start_response, [environ["REMOTE_ADDR"], environ["REMOTE_PORT"]]
    )


def test_the_client_is_the_one_of_this_connection(client: Client) -> None:
    """One header block from two connections by turns, and pipelined: what is
    remembered of a block must not be the client's."""
    with client.connection() as first, client.connection() as second:
        for sock in (first, second, first, second):
            sock.sendall(request(client_of) * 3)
            stream = sock.makefile("rb")
            for _ in range(3):
                size = 0
                for field in iter(stream.readline, b"\r\n"):
                    if field.lower().startswith(b"content-length:"):
                        size = int(field.split()[1])
                host, port = sock.getsockname()[:2]
                assert json.loads(stream.read(size)) == [host, str(port)]

"""Response fields: injection, hop-by-hop, Date and Server, encoding."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.wsgi.client import Client, request

TEXT = ("Content-Type", "text/plain")
DATE = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|"
    r"Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT"
)
BREAKS = {
    "cr": "\r",
    "lf": "\n",
    "crlf": "\r\n",
    "nul": "\0",
    "crlfcrlf": "\r\n\r\n",
    "vt": "\x0b",
    "ctl": "\x01",
    "del": "\x7f",
}


def inject(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    where, name = environ["QUERY_STRING"].split(",")
    text = "a%sX-Injected: 1" % BREAKS[name]
    fields = [TEXT]
    if where == "value":
        fields.append(("X-Value", text))
    elif where == "value-end":
        fields.append(("X-Value", "a" + BREAKS[name]))
    elif where == "name":
        fields.append(("X-A%sX-Injected" % BREAKS[name], "1"))
    start_response(
        "200 " + text if where == "status" else "200 OK",
        fields,
    )
    return [b"body"]


NAMES = {
    "colon": "X:Y",
    "space": "X Y",
    "space-end": "X ",
    "empty": "",
    "tab": "X\tY",
    "paren": "X(",
    "slash": "X/Y",
    "quote": 'X"',
    "latin-1": "X\xe9",
}


def name(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [TEXT, (NAMES[environ["QUERY_STRING"]], "v")])
    return [b"body"]


HOP = {
    "te": ("Transfer-Encoding", "chunked"),
    "te-case": ("transfer-encoding", "Chunked"),
    "te-gzip": ("Transfer-Encoding", "gzip, chunked"),
    "keep-alive": ("Keep-Alive", "timeout=5"),
    "connection-keep-alive": ("Connection", "keep-alive"),
    "connection-close": ("Connection", "close"),
    "connection-other": ("Connection", "X-Foo"),
    "upgrade": ("Upgrade", "websocket"),
    "te-field": ("TE", "trailers"),
    "trailer": ("Trailer", "X"),
    "proxy-authenticate": ("Proxy-Authenticate", "Basic"),
    "proxy-connection": ("Proxy-Connection", "close"),
}


def hop(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    query, _, length = environ["QUERY_STRING"].partition(",")
    fields = [TEXT, HOP[query]]
    if length:
        fields.append(("Content-Length", "4"))
    start_response("200 OK", fields)
    return [b"bo", b"dy"]


def many(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    fields = [("Set-Cookie", "c%d=%d" % (n, n)) for n in range(50)]
    start_response("200 OK", [TEXT, *fields])
    return [b"body"]


def own(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    date = ("Date", "Sun, 06 Nov 1994 08:49:37 GMT")
    start_response("200 OK", [TEXT, date, ("Server", "mine")])
    return [b"body"]


def latin(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [TEXT, ("X-Latin", "caf\xe9 \xff")])
    return [b"body"]


def large(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    fields = [("X-%d" % n, "v" * 1000) for n in range(100)]
    start_response("200 OK", [TEXT, *fields])
    return [b"body"]


def spaced(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    values = ["", " v", "v ", "a  b", "a\tb", '"q"', "a, b;c=d"]
    fields = [("X-%d" % n, value) for n, value in enumerate(values)]
    start_response("200 Fine and\tdandy", [TEXT, *fields])
    return [b"body"]


def reused(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """The list is the server's to change (PEP 3333), the application's to
    change afterwards without effect on what was said."""
    fields = [TEXT, ("X", "before")]
    start_response("200 OK", fields)
    fields[1] = ("X", "after")
    return [b"body"]


@pytest.mark.parametrize("what", BREAKS)
@pytest.mark.parametrize("where", ["value", "value-end", "name", "status"])
def test_nothing_is_injected(client: Client, where: str, what: str) -> None:
    query = "%s,%s" % (where, what)
    response = client.once(inject, query=query)
    assert response.get("X-Injected") is None
    raw = client.raw(inject, query=query)
    head = raw.partition(b"\r\n\r\n")[0]
    assert b"\nX-Injected" not in head
    assert b"\rX-Injected" not in head
    assert b"\0" not in head
    if what in ("cr", "lf", "crlf", "nul", "crlfcrlf"):
        assert response.status == 500, "sanitised, not refused"


@pytest.mark.parametrize("what", NAMES)
def test_names_that_are_no_tokens(client: Client, what: str) -> None:
    response = client.once(name, query=what)
    if response.status == 200:
        names = [key for key, _ in response.fields]
        assert NAMES[what] not in names
    else:
        assert response.status == 500


@pytest.mark.parametrize("length", ["", "length"])
@pytest.mark.parametrize("what", HOP)
def test_hop_by_hop_fields(client: Client, what: str, length: str) -> None:
    """The server's business (PEP 3333, "Other HTTP Features"): whatever it
    makes of them, the response is framed once."""
    query = what + ("," + length if length else "")
    response = client.once(hop, query=query)
    assert response.status in (200, 500)
    if response.status == 200:
        assert (response.body, response.complete) == (b"body", True)
    if what == "connection-close" and response.status == 200:
        assert response.closes


def test_date_is_there_once_and_valid(client: Client) -> None:
    response = client.ask(many)
    assert len(response.all("Date")) == 1
    assert DATE.fullmatch(response.get("Date") or "")


def test_date_and_server_of_the_application_win(client: Client) -> None:
    response = client.ask(own)
    assert response.all("Date") == ["Sun, 06 Nov 1994 08:49:37 GMT"]
    assert response.all("Server") == ["mine"]


def test_50_cookies_stay_apart_and_in_order(client: Client) -> None:
    expected = ["c%d=%d" % (n, n) for n in range(50)]
    assert client.ask(many).all("Set-Cookie") == expected


def test_latin_1_is_one_byte_a_letter(client: Client) -> None:
    raw = client.raw(latin)
    assert b"caf\xe9 \xff\r\n" in raw


def test_100_kib_of_fields(client: Client) -> None:
    response = client.ask(large)
    assert response.get("X-99") == "v" * 1000


def test_values_keep_their_form(client: Client) -> None:
    response = client.ask(spaced)
    assert response.reason == "Fine and\tdandy"
    assert response.get("X-3") == "a  b"
    assert response.get("X-4") == "a\tb"
    assert response.get("X-6") == "a, b;c=d"


def test_later_changes_to_the_list_do_not_count(client: Client) -> None:
    assert client.ask(reused).get("X") in ("before", "after")


def test_pipelined_heads_do_not_mix(client: Client) -> None:
    raw = request(many) + request(own, fields=("Connection: close",))
    first, second = client.exchange(raw)
    assert len(first.all("Set-Cookie")) == 50
    assert second.all("Set-Cookie") == []

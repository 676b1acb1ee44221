"""What is sent for a load: targets, header fields and bodies."""

from __future__ import annotations

from pathlib import Path

import pytest

from wsgibench.errors import UsageError
from wsgibench.load.headers import header_set
from wsgibench.load.message import message
from wsgibench.load.render import render
from wsgibench.load.spec import Entry, LoadSpec
from wsgibench.load.target import parse_target
from wsgibench.load.templates import Book
from wsgibench.load.urls import read_list


def sent(spec: LoadSpec, entry: Entry | None = None) -> str:
    target = spec.target()
    book = Book()
    made = message(spec, entry or Entry(target.path), target, book)
    return book.sample(made).decode("utf-8")


def test_a_url_is_encoded() -> None:
    for url, line in (
        ("http://127.0.0.1/ä b?q=ü x#frag", "/%C3%A4%20b?q=%C3%BC%20x"),
        ("http://127.0.0.1/a%20b?c=%C3", "/a%20b?c=%C3"),
        ("http://127.0.0.1/[x]{y}|z?a'b", "/[x]{y}|z?a'b"),
        ("http://127.0.0.1?x=1", "/?x=1"),
        ("http://127.0.0.1", "/"),
    ):
        assert sent(LoadSpec(url)).startswith("GET %s HTTP/1.1\r\n" % line)
    target = parse_target("http://127.0.0.1:81/", "", ())
    assert target.authority == "127.0.0.1:81"
    rule = ("xn--bcher-kva.example:80:127.0.0.1",)
    book = parse_target("http://Bücher.example/", "127.0.0.1:80", rule)
    assert book.authority == "xn--bcher-kva.example"


def test_credentials_are_sent() -> None:
    line = "\r\nAuthorization: Basic YTpiOmM=\r\n"
    assert line in sent(LoadSpec("http://a:b%3Ac@127.0.0.1/"))
    assert "a:b" not in sent(LoadSpec("http://a:b%3Ac@127.0.0.1/"))
    own = (("authorization", "Bearer x"),)
    text = sent(LoadSpec("http://a:b@127.0.0.1/", extra_headers=own))
    assert text.count("uthorization") == 1
    assert "uthorization" not in sent(LoadSpec("http://@127.0.0.1/"))


def test_a_header_replaces_one_of_that_name() -> None:
    spec = LoadSpec(
        "http://127.0.0.1/",
        headers="browser",
        method="POST",
        body=b"four",
        extra_headers=(
            ("user-agent", "ours"),
            ("X-Two", "1"),
            ("X-Two", "2"),
            ("content-length", "4"),
            ("X-Ünicode".replace("Ü", "U"), "grün"),
        ),
    )
    text = sent(spec, Entry("/", "POST"))
    lowered = text.lower()
    assert lowered.count("\r\nuser-agent:") == 1
    assert lowered.count("\r\ncontent-length:") == 1
    assert text.count("X-Two: ") == 2
    assert "grün" in text
    assert header_set("browser")  # and the set itself is as it was
    assert "Mozilla" in sent(LoadSpec("http://127.0.0.1/", headers="browser"))


def test_headers_and_bodies_by_line(tmp_path: Path) -> None:
    body = tmp_path / "body"
    body.write_bytes(b"\x00{seq}")
    path = tmp_path / "urls"
    path.write_text(
        "# all\n3 GET /a\n  X-One: {random:4}\n  # no header\n"
        "POST /b?x=1#y # behind a blank\n\tContent-Type: text/plain\n"
        "  = hello {seq}\nPUT /c\n  @%s\n" % body
    )
    first, second, third = read_list(str(path), "GET")
    assert first == Entry("/a", headers=(("X-One", "{random:4}"),), weight=3)
    assert second.target.startswith("/b?x=1")
    assert second.headers == (("Content-Type", "text/plain"),)
    assert second.body == b"hello {seq}"
    assert third.body == b"\x00{seq}"
    rendered = render(LoadSpec("http://127.0.0.1/", url_list=str(path)))
    assert [len(one.pieces) > 1 for one in rendered.requests] == [True] * 3
    for text in ("/a\n  nonsense\n", "0 /a\n", "² /a\n", "9" * 5000 + " /a\n"):
        path.write_text(text)
        with pytest.raises(UsageError):
            read_list(str(path), "GET")
    # Lines end as in HTTP, and not where Unicode has an end of line, too.
    text = "\ufeffM-SEARCH /a\r\n  X: a\x85b\u2028c\x0cd\r\n"
    path.write_bytes(text.encode())
    (only,) = read_list(str(path), "GET")
    assert (only.method, only.target) == ("M-SEARCH", "/a")
    assert only.headers == (("X", "a\x85b\u2028c\x0cd"),)
    path.write_bytes("X: a\u2028b\r\nY: c\n".encode())
    assert header_set("@%s" % path) == [("X", "a\u2028b"), ("Y", "c")]

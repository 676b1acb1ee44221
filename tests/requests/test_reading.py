"""Files of requests: what kind they are, and what is in them."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path

import pytest

from wsgibench.errors import UsageError
from wsgibench.harness.requests import reading
from wsgibench.harness.requests.request import Request

COMMON = '127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "%s" 200 2326\n'
COMBINED = COMMON.rstrip() + ' "http://a/" "Mozilla/5.0 (X11)"\n'


def written(tmp_path: Path, text: str, name: str = "requests") -> str:
    path = tmp_path / name
    path.write_text(text)
    return str(path)


def test_lines(tmp_path: Path) -> None:
    text = "# the shop\n/\n3 /item/1?a=b  # often\nHEAD /\n2 POST /cart\n\n"
    found = reading.read(written(tmp_path, text))
    assert found.kind == "lines"
    assert [(r.name, r.weight) for r in found.requests] == [
        ("GET /", 1),
        ("GET /item/1?a=b", 3),
        ("HEAD /", 1),
        ("POST /cart", 2),
    ]


def test_json_lines_with_every_kind_of_body(tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(b"\x89PNG")
    lines = [
        {"target": "/a", "headers": {"X-A": "1"}, "weight": 4},
        {"target": "/b", "body": "h\u00e9"},
        {"target": "/c", "base64": base64.b64encode(b"\0\1").decode()},
        {"method": "PUT", "target": "/d", "file": "cat.png"},
        {"target": "/e", "json": {"a": [1]}},
        {"target": "/f", "form": {"a": "b c", "t": "{token}"}},
        {"target": "/g", "multipart": {"a": "b", "file": "@cat.png"}},
        {"target": "/h", "headers": [["A", "1"], ["A", "2"]]},
    ]
    text = "\n".join(map(json.dumps, lines))
    found = reading.read(written(tmp_path, text)).requests
    assert found[0] == Request("GET", "/a", (("X-A", "1"),), b"", 4)
    bodies = [one.body for one in found]
    assert bodies[1:5] == [
        "h\u00e9".encode(), b"\0\1", b"\x89PNG", b'{"a": [1]}'
    ]  # fmt: skip
    assert bodies[5] == b"a=b+c&t={token}"
    assert [one.method for one in found[1:4]] == ["POST", "POST", "PUT"]
    head, _, rest = bodies[6].partition(b"\r\n")
    assert found[6].header("Content-Type").endswith(head.decode()[2:])
    assert b'name="file"; filename="cat.png"\r\n' in rest
    assert b"\r\n\r\n\x89PNG\r\n--" in rest
    assert rest.endswith(head + b"--\r\n")
    assert found[7].headers == (("A", "1"), ("A", "2"))


def test_a_har_file(tmp_path: Path) -> None:
    def entry(url: str, **more: object) -> dict[str, object]:
        headers = [
            {"name": ":authority", "value": "shop"},
            {"name": "Host", "value": "shop:8443"},
            {"name": "Connection", "value": "keep-alive"},
            {"name": "Accept", "value": "*/*"},
        ]
        request = {"method": "GET", "url": url, "headers": headers, **more}
        return {"request": request}

    post = {"mimeType": "application/json", "text": '{"a":1}'}
    entries = [
        entry("https://shop:8443/a?b=c#d"),
        entry("https://cdn/x.js"),
        entry("https://shop:8443/p", method="POST", postData=post),
        entry("https://shop:8443/u", method="POST", bodySize=99),
    ]
    text = json.dumps({"log": {"version": "1.2", "entries": entries}})
    found = reading.read(written(tmp_path, text, "shop.har"))
    assert (found.kind, found.host) == ("HAR", "shop:8443")
    assert [one.name for one in found.requests] == ["GET /a?b=c", "POST /p"]
    assert found.requests[0].headers == (("Accept", "*/*"),)
    assert found.requests[1].body == b'{"a":1}'
    assert "1 of 4 requests of shop.har went to other" in found.remarks[0]
    assert "1 requests of shop.har had bodies" in found.remarks[1]


def test_an_access_log_of_10000_lines(tmp_path: Path) -> None:
    lines = [
        (COMMON if n % 2 else COMBINED) % ("GET /item/%d HTTP/1.1" % (n % 50))
        for n in range(10_000)
    ]
    lines += [COMMON % "POST /cart HTTP/1.1", COMMON % "\\x16\\x03", "what\n"]
    path = written(tmp_path, "".join(lines), "access.log")
    found = reading.read(path)
    assert found.kind == "access log"
    assert sum(one.weight for one in found.requests) == 10_000
    assert {one.route for one in found.requests} == {"GET /item/{}"}
    assert found.requests[0].header("User-Agent") == "Mozilla/5.0 (X11)"
    assert len(found.remarks) == 2
    some = reading.read(path, sample=1000, seed=3)
    assert sum(one.weight for one in some.requests) == 1000
    assert some == reading.read(path, sample=1000, seed=3)
    assert some != reading.read(path, sample=1000, seed=4)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "there is no request in"),
        ("GET", "line 1: 'GET' is no target like /path"),
        ("/a b c", "line 1: '/a b c' is not like"),
        ("-1 /", "the weight -1 is not a number from 1"),
        ("0 /", "the weight 0 is not a number from 1"),
        ("/\u00e9", "is no target like /path"),
        ("G(T /", "'G(T' is no method"),
        ('{"target": "/", "wait": 1}', "there is no wait; a request may"),
        ('{"target": "/", "body": "", "json": 1}', "one body, not body and"),
        ('{"target": "/", "base64": "?"}', "not base64"),
        ('{"target": "/", "file": "none"}', "none: No such"),
        ('{"target": "/", "headers": {"A": "b\\r\\nc"}}', "is no header"),
        ('{"target": "/", "headers": 3}', "headers are an object"),
        ('{"weight": 1}', "is no target like /path"),
        ('{"target": "/"', "line 1: not JSON"),
        ("{}\n[]", "is no target"),
        ('{"log": {"entries": []}}', "is no HAR file"),
        (COMMON % "PUT / HTTP/1.1", "has no GET or HEAD request"),
        ("999999 /\n999999 /", "sum to more than 1000000"),
    ],
)
def test_what_is_wrong_is_said(
    tmp_path: Path, text: str, sentence: str
) -> None:
    with pytest.raises(UsageError) as caught:
        reading.read(written(tmp_path, text))
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_sample_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--sample is for an access log"):
        reading.read(written(tmp_path, "/"), sample=5)


def test_one_visitor_of_many() -> None:
    asked = Request(
        "POST",
        "/u/{id}",
        (("Cookie", "old"), ("X-T", "{csrf}"), ("Accept", "*/*")),
        b'{"json": 1, "t": "{csrf}"}',
    )
    found = asked.of({"Cookie": "s=1", "{csrf}": "abc", "{id}": "7"})
    assert found.target == "/u/7"
    assert found.headers == (
        ("X-T", "abc"), ("Accept", "*/*"), ("Cookie", "s=1")
    )  # fmt: skip
    assert found.body == b'{"json": 1, "t": "abc"}'
    assert found.route == "POST /u/{}"


def test_what_browsers_leave_out_of_a_har(tmp_path: Path) -> None:
    def entry(method: str, url: str, **more: object) -> dict[str, object]:
        return {"request": {"method": method, "url": url, **more}}

    multipart = "multipart/form-data; boundary=x"
    kind = {"name": "Content-Type", "value": multipart}
    fields = [{"name": "a", "value": "b"}]
    form = "application/x-www-form-urlencoded; charset=utf-8"
    typed = [
        {"name": "q", "value": "a note & more"},
        {"name": "sent", "value": "a+note%20"},
    ]
    pseudo = [{"name": ":authority", "value": "shop.test"}]
    entries = [
        entry("GET", "data:image/png;base64,AAAA"),
        entry("GET", "https://shop.test/a?b=1", headers=pseudo),
        entry("POST", "https://shop.test/up", headers=[kind], bodySize=0),
        entry("GET", "https://cdn.test/x.js"),
        entry("GET", "wss://shop.test/live"),
        entry(
            "POST",
            "https://shop.test/b",
            postData={"text": "AP8=", "encoding": "base64"},
        ),
        entry(
            "POST",
            "https://shop.test/up",
            headers=[kind],
            postData={"mimeType": multipart, "params": fields},
        ),
        entry(
            "POST",
            "https://shop.test/c",
            postData={"mimeType": form, "text": "", "params": typed},
        ),
    ]
    text = json.dumps({"log": {"entries": entries}})
    found = reading.read(written(tmp_path, text))
    assert [(one.name, one.body) for one in found.requests] == [
        ("GET /a?b=1", b""),
        ("POST /b", b"\0\xff"),
        ("POST /c", b"q=a+note+%26+more&sent=a+note%20"),
    ]
    assert found.host == "shop.test"
    assert found.requests[0].headers == ()
    assert [one.partition(" of ")[0] for one in found.remarks] == [
        "3",
        "2 requests",
    ]


def test_a_log_as_servers_write_it(tmp_path: Path) -> None:
    """Escapes of nginx and Apache, IPv6, no request, broken lines first."""
    end = ' 200 5 "-" "A \\"q\\" \\xe4"\n'
    front = "2001:db8::1 - bob smith [10/Oct/2000:13:55:36 -0700] "
    lines = [
        "# rotated\n",
        front + '"GET /a\\x22b\\xc3\\xa4?q=\\"x HTTP/1.1"' + end,
        front + '"-"' + end,
        front + '"\\x16\\x03\\x01"' + end,
        front + '"GET http://other.test/ HTTP/1.1"' + end,
        "shop.test:443 " + front + '"GET /c HTTP/1.0"' + end,
        front + '"POST /d HTTP/1.1"' + end,
    ]
    path = tmp_path / "access.log.gz"
    path.write_bytes(gzip.compress("".join(lines).encode()))
    found = reading.read(str(path), sample=9)
    assert [one.name for one in found.requests] == [
        "GET /a%22b%C3%A4?q=%22x",
        "GET /c",
    ]
    assert found.requests[0].headers == ()  # its agent is not ASCII
    said = " ".join(found.remarks)
    assert "4 of 7 lines" in said
    assert "1 requests" in said
    assert "has 2 requests to take 9 from: all of them" in said


def test_a_broken_gz_file_is_said(tmp_path: Path) -> None:
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(b"GET /")[:-4])
    with pytest.raises(UsageError, match="cannot read"):
        reading.read(str(path))

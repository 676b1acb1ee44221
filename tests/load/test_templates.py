"""Templates and mixes, as a server received them."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, Callable

import pytest

from wsgibench.errors import UsageError, WsgibenchError
from wsgibench.load import templates, visitors
from wsgibench.load.hdr import Histogram
from wsgibench.load.message import message
from wsgibench.load.render import render
from wsgibench.load.spec import Entry, LoadSpec
from wsgibench.load.templates import Book

Load = Callable[..., dict[str, Any]]
Golden = Callable[..., Any]

HEADER = Path(__file__).parents[2] / "csrc/include/wsgibench_load.h"


@pytest.fixture
def kept(load: Load, golden: Golden) -> Callable[..., list[str]]:
    """kept(**spec): the requests that a server got, all of them right."""

    def run(path: str = "/", **fields: Any) -> list[str]:
        server = golden(keep=100_000)
        url = server.url.rstrip("/") + path
        result = load(url, duration=60, **fields)
        account = server.account()
        # Lengths are right, or the server would have seen other requests.
        assert result["classes"]["ok"] == result["scheduled"]
        assert account["requests"] == fields["requests"]
        assert result["bytes_out"] == sum(map(len, account["kept"]))
        requests: list[str] = account["kept"]
        return requests

    return run


Kept = Callable[..., list[str]]


def values(requests: list[str], name: str) -> list[str]:
    pattern = re.compile(r"\r\n%s: (.*?)\r\n" % re.escape(name))
    found = [pattern.search(request) for request in requests]
    return [match[1] for match in found if match]


def test_the_kinds_are_those_of_the_c_header() -> None:
    text = HEADER.read_text()
    body = text[text.index("WL_TEXT,") : text.index("typedef struct wl_piece")]
    names = re.findall(r"\bWL_(\w+)(?=,\s|\s+/\*)", re.sub(r"`.*?`", "", body))
    in_order = list(dict.fromkeys(names))
    assert in_order == [kind.name for kind in templates.Kind]


@pytest.mark.parametrize("processes", [1, 3])
def test_every_request_has_its_number(kept: Kept, processes: int) -> None:
    requests = kept(
        "/item/{seq}?page={seq:3}",
        requests=200,
        connections=6,
        processes=processes,
        extra_headers=(("X-Turn", "{seq:7-9}"),),
    )
    numbers = [re.findall(r"\d+", request)[:2] for request in requests]
    assert sorted(int(one) for one, _ in numbers) == list(range(200))
    assert all(page == "%03d" % int(one) for one, page in numbers)
    turns = values(requests, "X-Turn")
    assert turns == [str(7 + int(one) % 3) for one, _ in numbers]


@pytest.mark.parametrize("pipeline", [1, 5])
def test_random_things(kept: Kept, pipeline: int) -> None:
    requests = kept(
        requests=400,
        connections=4,
        pipeline=pipeline,
        extra_headers=(
            ("X-Id", "{random:37}"),
            ("X-Number", "{number:8-12}"),
            ("X-Uuid", "{uuid}"),
            ("X-Address", "{address}"),
        ),
    )
    ids = values(requests, "X-Id")
    assert len(set(ids)) == 400
    assert all(re.fullmatch("[0-9a-f]{37}", one) for one in ids)
    digits = Counter("".join(ids))
    assert max(digits.values()) < 1.3 * min(digits.values())
    assert set(values(requests, "X-Number")) == {"8", "9", "10", "11", "12"}
    uuids = values(requests, "X-Uuid")
    shape = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}"
    assert len(set(uuids)) == 400
    assert all(re.fullmatch(shape, one) for one in uuids)
    addresses = values(requests, "X-Address")
    assert len(set(addresses)) == 400
    for address in addresses:
        bytes_of = [int(part) for part in address.split(".")]
        assert bytes_of[0] == 10
        assert all(0 <= byte <= 255 for byte in bytes_of)


def test_the_seed_decides(kept: Kept) -> None:
    header = (("X-Id", "{random:20}"),)
    runs = [
        values(kept(requests=50, seed=seed, extra_headers=header), "X-Id")
        for seed in (1, 1, 2)
    ]
    assert runs[0] == runs[1]
    assert not set(runs[0]) & set(runs[2])


def test_lines_of_a_file(kept: Kept, tmp_path: Path) -> None:
    users = tmp_path / "users"
    users.write_text("anna\n\nberta\ncarl\n")
    requests = kept(
        "/{pick:%s}" % users,
        requests=300,
        connections=3,
        extra_headers=(
            ("X-User", "{pick:%s}" % users),
            ("X-Visitor", "{visitor:%s}" % users),
        ),
    )
    names = values(requests, "X-User")
    counts = Counter(names)
    assert set(counts) == {"anna", "berta", "carl"}
    assert min(counts.values()) > 60
    # One line of one file in one request; a line for each connection.
    paths = [request.split(" ")[1][1:] for request in requests]
    assert paths == names
    assert set(values(requests, "X-Visitor")) == {"anna", "berta", "carl"}


@pytest.mark.parametrize("chunk", [0, 1, 10])
def test_a_body_has_its_length(kept: Kept, chunk: int) -> None:
    body = b'{"id": {seq}, "keep": {braces}, "text": "{random:9}"}'
    requests = kept(
        requests=120, method="POST", body=body, chunk=chunk, connections=2
    )
    shape = re.compile(
        r'\{"id": (\d+), "keep": \{braces\}, "text": "[0-9a-f]{9}"\}'
    )
    numbers = set()
    for request in requests:
        head, _, received = request.partition("\r\n\r\n")
        if chunk:
            received = unchunked(received)
        else:
            assert "Content-Length: %d\r\n" % len(received) in head + "\r\n"
        match = shape.fullmatch(received)
        assert match
        numbers.add(int(match[1]))
    assert numbers == set(range(120))


def unchunked(text: str) -> str:
    pieces: list[str] = []
    while True:
        size, _, text = text.partition("\r\n")
        if int(size, 16) == 0:
            assert text == "\r\n"
            return "".join(pieces)
        pieces.append(text[: int(size, 16)])
        text = text[int(size, 16) + 2 :]


def test_a_large_body_with_a_number_in_it(kept: Kept) -> None:
    """More than a socket takes at once: the rest is made again."""
    body = b"{seq:6}" + b"0123456789abcdef" * 400_000 + b"{random:16}"
    requests = kept(requests=6, method="PUT", body=body, connections=3)
    numbers = []
    for request in requests:
        received = request.partition("\r\n\r\n")[2]
        assert received[6:-16] == "0123456789abcdef" * 400_000
        assert re.fullmatch("[0-9a-f]{16}", received[-16:])
        numbers.append(int(received[:6]))
    assert sorted(numbers) == list(range(6))


def test_proxied_headers_differ_in_every_request(kept: Kept) -> None:
    requests = kept(requests=500, headers="proxied", connections=5)
    for name in ("X-Request-Id", "X-Forwarded-For", "Cookie"):
        assert len(set(values(requests, name))) == 500, name
    assert set(values(requests, "X-Forwarded-Proto")) == {"https"}
    assert all("Mozilla" in agent for agent in values(requests, "User-Agent"))


def test_users_follow_zipfs_law(kept: Kept) -> None:
    count = 8_000
    requests = kept(requests=count, headers="users", connections=8)
    names = ("Cookie", "User-Agent", "X-Forwarded-For", "Accept-Language")
    who = list(zip(*(values(requests, name) for name in names)))
    assert len(who) == count
    common = Counter(who).most_common()
    # The sum of 1/k to 10,000 is 9.79: the k-th of all makes 1/(9.79 k).
    assert common[0][1] / count == pytest.approx(1 / 9.79, rel=0.15)
    top = sum(n for _, n in common[:100]) / count
    assert top == pytest.approx(5.187 / 9.79, rel=0.1)
    assert len({address for _, _, address, _ in who}) == len(common) > 1500
    known = set(zip(*map(visitors.texts, ("cookie", "agent", "address"))))
    found = {tuple(part.encode() for part in one[:3]) for one in who}
    assert found <= known


def test_the_alias_table_keeps_the_weights() -> None:
    weights = [5.0, 1.0, 0.25, 3.0, 0.0, 7.75]
    keep, alias = visitors.alias_table(weights)
    shares = [0.0] * len(weights)
    for i, kept_share in enumerate(keep):
        shares[i] += kept_share / 2**32
        shares[alias[i]] += 1 - kept_share / 2**32
    total = sum(weights)
    for share, weight in zip(shares, weights):
        assert share / len(weights) == pytest.approx(weight / total, abs=1e-8)


# -- mixes


MIX = (
    Entry("/often", weight=6, route="often"),
    Entry("/{seq}", weight=3, route="counted", expect_length=14),
    Entry(
        "/post",
        "POST",
        (("Content-Type", "text/plain"), ("X-Set", "entry")),
        b"{random:12}",
        route="post",
        expect_status=(201, 202),
    ),
)


@pytest.mark.parametrize("processes", [1, 2])
def test_routes_are_told_apart(
    load: Load, golden: Golden, processes: int
) -> None:
    server = golden(keep=10_000)
    result = load(
        server.url,
        duration=60,
        requests=1000,
        connections=4,
        processes=processes,
        entries=MIX,
        extra_headers=(("X-Set", "all"), ("X-Other", "all")),
    )
    got = server.account()["kept"]
    lines = Counter(request.split(" ")[1] for request in got)
    assert lines["/often"] == 600
    assert lines["/post"] == 100
    posts = [request for request in got if request.startswith("POST")]
    assert all(values(posts, "X-Set") == ["entry"] * 100 for _ in (1,))
    assert values(posts, "X-Other") == ["all"] * 100
    assert all(re.search("\r\n\r\n[0-9a-f]{12}$", post) for post in posts)
    routes = result["routes"]
    assert routes["often"]["classes"]["ok"] == 600
    assert routes["counted"]["classes"]["ok"] == 300
    assert routes["post"]["classes"]["bad_status"] == 100
    for name, route in routes.items():
        assert (
            sum(route["classes"].values())
            == {
                "often": 600,
                "counted": 300,
                "post": 100,
            }[name]
        )
        parts = [*result["windows"], result["drain"]]
        assert (
            sum(
                part["routes"].get(name, {"classes": {"ok": 0}})["classes"][
                    "ok"
                ]
                for part in parts
            )
            == (route["classes"]["ok"])
        )
        assert route["response"]["count"] == route["classes"]["ok"]
    whole = result["response"]["count"]
    assert whole == sum(r["response"]["count"] for r in routes.values())
    json.dumps(result)  # nothing in it is an object of ours


def test_failures_have_a_route_too(load: Load, golden: Golden) -> None:
    server = golden(silent_each=10)
    result = load(
        server.url,
        duration=1.0,
        rate=300,
        connections=5,
        timeout=0.3,
        drain=0.5,
        entries=(
            Entry("/a", route="a"),
            Entry("/b", route="b"),
        ),
    )
    routes = result["routes"]
    for name in result["classes"]:
        total = sum(route["classes"][name] for route in routes.values())
        assert total == result["classes"][name], name
    assert result["classes"]["timeout"] > 0
    for route in routes.values():
        kept = Histogram.decode(route["censored"]["hdr"]).count
        assert kept == route["censored"]["count"]
        assert kept == route["tail"]["censored"]
    censored = sum(route["tail"]["censored"] for route in routes.values())
    assert censored == result["tail"]["censored"]


def test_without_routes_there_is_none(load: Load, golden: Golden) -> None:
    result = load(golden().url, requests=10, entries=(Entry("/"), Entry("/a")))
    assert "routes" not in result
    assert "routes" not in result["windows"][0]


def test_visitors_by_connection(kept: Kept) -> None:
    requests = kept(
        requests=90,
        connections=3,
        visitors=((("Cookie", "s=1"),), (("Cookie", "s={seq}x"),), ()),
    )
    cookies = values(requests, "Cookie")
    # Templates in a visitor's headers are not filled in: they are a line.
    assert set(cookies) == {"s=1", "s={seq}x"}
    assert len(cookies) < 90


def test_a_body_by_its_hash(load: Load, golden: Golden) -> None:
    import hashlib

    server = golden(body="hash me", wrong_each=5)
    digest = hashlib.sha256(b"hash me").hexdigest()
    entry = Entry("/", expect_hash="sha256:" + digest)
    result = load(server.url, requests=20, duration=60, entries=(entry,))
    assert result["classes"]["bad_body"] == 4
    other = Entry("/", expect_hash="sha256:" + "0" * 64)
    with pytest.raises(WsgibenchError, match="has not the hash"):
        load(server.url, requests=1, entries=(other,))


def test_a_line_is_written_as_its_place_wants_it(
    kept: Kept, tmp_path: Path
) -> None:
    """A blank or a letter of another alphabet would end a request target."""
    path = tmp_path / "lines"
    path.write_bytes("red shoes ü\r\n".encode())
    spec = LoadSpec(
        "http://127.0.0.1/?q={pick:%s}" % path,
        method="POST",
        body=b"{pick:%s}" % bytes(path),
        extra_headers=(("X", "{pick:%s}" % path),),
    )
    book = Book()
    entry = Entry(spec.target().path, "POST")
    pieces = message(spec, entry, spec.target(), book)
    said = book.sample(pieces).decode("utf-8")
    assert said.startswith("POST /?q=red%20shoes%20%C3%BC HTTP/1.1\r\n")
    assert "\r\nX: red shoes ü\r\n" in said
    assert said.endswith("\r\n\r\nred shoes ü")
    # One draw for one file: the lines of a request go together.
    path.write_text("".join("a %d\n" % i for i in range(100)))
    received = kept(
        "/?q={pick:%s}" % path,
        requests=30,
        extra_headers=(("X", "{pick:%s}" % path),),
    )
    for one in received:
        (line,) = values([one], "X")
        assert one.startswith("GET /?q=%s " % line.replace(" ", "%20"))
    assert len(set(received)) > 1
    path.write_bytes(b"a\0b\n")
    with pytest.raises(UsageError, match="NUL"):
        message(spec, entry, spec.target(), Book())


@pytest.mark.parametrize(
    "text",
    [
        "{random}",
        "{random:0}",
        "{random:x}",
        "{number:5}",
        "{number:9-3}",
        "{seq:a}",
        "{seq:99999999}",
        "{seq:²}",
        "{seq:%s}" % ("9" * 5000),
        "{number:1-%s}" % ("9" * 5000),
        "{number:0-18446744073709551616}",
        "{pick:}",
        "{visitor:}",
        "{uuid:4}",
        "{address:1}",
        "{user:name}",
        "{pick:/nowhere}",
        "{visitor:/nowhere}",
    ],
)
def test_wrong_templates_are_one_sentence(text: str) -> None:
    spec = LoadSpec("http://127.0.0.1:1/", extra_headers=(("X", text),))
    with pytest.raises(UsageError) as caught:
        render(spec)
    assert str(caught.value).endswith(".")


def test_memory_does_not_grow_with_the_body() -> None:
    """A number in a 20 KB body is one request of 20 KB, not 10,000."""
    spec = LoadSpec(
        "http://127.0.0.1:1/{seq}", method="POST", body=b"x" * 20_000
    )
    rendered = render(spec)
    assert len(rendered.requests) == 1
    size = sum(len(p) for p in rendered.requests[0].pieces)
    assert size < 21_000

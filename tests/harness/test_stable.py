"""What stays the same in answers, and how another differs."""

from __future__ import annotations

import random

import pytest

from wsgibench.harness import stable
from wsgibench.harness.answers import Answer

PAGE = b"<h1>Notes</h1>\n<p>token %s, at %s</p>\n<ul><li>one</li></ul>\n"


def answer(body: bytes = b"x", status: int = 200, **more: str) -> Answer:
    names = [(key.replace("_", "-"), value) for key, value in more.items()]
    return Answer(status, tuple(names), body)


def pages(count: int, seed: int = 1) -> list[Answer]:
    rng = random.Random(seed)
    return [
        answer(
            PAGE % (b"%032x" % rng.getrandbits(128), b"10:%02d" % (n + 10)),
            X_Id="%d" % n,
            ETag='"same"',
        )
        for n in range(count)
    ]


def test_what_changes_by_itself_is_no_difference() -> None:
    must = stable.of(pages(4))
    for one in pages(3, seed=9):
        assert must.differences(one) == []
    assert 0.4 < must.body.share < 0.8
    assert must.raw is None
    assert must.raw_size == -1  # times have had one length by chance


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (lambda b: b[:-1], "its body does not end with"),
        (lambda b: b.replace(b", at ", b""), "its body lacks"),
        (lambda b: b[1:], "its body does not begin with"),
        (lambda b: b + b"x", "its body does not end with"),
        (lambda b: b.replace(b"one", b"two"), "its body does not end with"),
        (lambda b: b"", "its body does not begin with"),
    ],
)
def test_a_changing_body_that_is_broken(body: object, said: str) -> None:
    assert callable(body)
    must = stable.of(pages(4))
    whole = pages(1)[0]
    broken = Answer(200, whole.headers, body(whole.body))
    (found,) = must.differences(broken)
    assert said in found


def test_tokens_have_a_length() -> None:
    bodies = [
        b"csrf=%032x;" % random.Random(n).getrandbits(128) for n in (1, 2)
    ]
    must = stable.of([answer(body) for body in bodies])
    assert must.raw_size == 38
    assert must.differences(answer(b"csrf=%032d;" % 1)) == []
    short = must.differences(answer(b"csrf=%031d;" % 1))
    assert short == ["its body has 37 bytes, not 38"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (answer(b"abc", A="1"), []),
        (answer(b"ab", A="1"), ["its body ends after 2 of 3 bytes"]),
        (answer(b"abcd", A="1"), ["its body has 1 bytes too many"]),
        (
            answer(b"aXc", A="1"),
            ["its body differs from byte 1 on: 'Xc', not 'bc'"],
        ),
        (answer(b"abc"), ["the header a is missing"]),
        (answer(b"abc", A="2"), ["the header a is '2', not '1'"]),
        (answer(b"abc", 500, A="1"), ["status 500, not 200"]),
        (
            answer(b"abc", A="1", B="2"),
            ["a header b that the application did not send"],
        ),
        (answer(b"abc", A="1", Date="x", Server="y", Via="z"), []),
        (Answer(0, error="timed out"), ["timed out"]),
    ],
)
def test_a_constant_answer(given: Answer, said: list[str]) -> None:
    must = stable.of([answer(b"abc", A="1")] * 4)
    assert must.differences(given) == said
    assert must.raw == b"abc"


def test_cookies_are_counted_and_known_by_name() -> None:
    def cookies(*values: str) -> Answer:
        return Answer(200, tuple(("Set-Cookie", v) for v in values), b"")

    must = stable.of([cookies("a=1", "b=2"), cookies("a=3", "b=4")])
    assert must.differences(cookies("a=5", "b=6")) == []
    assert must.differences(cookies("b=6", "a=5")) == []
    twice = must.differences(cookies("a=5", "b=6", "a=5"))
    assert twice == ["the header set-cookie comes 3 times, not 2"]
    assert must.differences(cookies("a=5", "c=6")) == [
        "it sets other cookies: c, not b"
    ]


def test_statuses_and_headers_that_come_and_go() -> None:
    must = stable.of([answer(status=200, A="1"), answer(status=304)])
    assert must.differences(answer(b"", status=304)) == []
    assert must.differences(answer(status=200, A="7")) == []
    assert must.differences(answer(status=404)) == [
        "status 404, not 200 or 304"
    ]


def test_compressed_bodies_are_compared_by_what_is_in_them() -> None:
    import gzip

    def zipped(text: bytes, level: int) -> Answer:
        body = gzip.compress(text, level, mtime=level)
        return answer(body, Content_Encoding="gzip")

    text = b"the same text " * 50
    must = stable.of([zipped(text, 1), zipped(text, 2)])
    assert must.differences(zipped(text, 9)) == []
    assert must.differences(zipped(text[:-1], 9))
    assert must.raw is None


def test_bodies_too_large_to_be_aligned() -> None:
    rng = random.Random(1)
    lines = [b"%030x\n" % rng.getrandbits(120) for _ in range(9000)]
    bodies = [
        b"".join(lines[:3000]) + b"%d" % n + b"".join(lines[3000:])
        for n in (1, 2)
    ]
    must = stable.of([answer(body) for body in bodies])
    third = b"".join(lines[:3000]) + b"3" + b"".join(lines[3000:])
    assert must.differences(answer(third)) == []
    assert must.differences(answer(third[:-5]))
    assert must.body.share > 0.99


def test_a_body_in_the_answer_to_head() -> None:
    must = stable.of([answer(b"abc")] * 2)
    assert must.differences(answer(b""), is_head=True) == []
    assert must.differences(answer(b"abc\n"), is_head=True) == [
        "a body in the answer to HEAD, which clients take for the next answer"
    ]

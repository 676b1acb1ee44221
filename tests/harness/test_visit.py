"""Every answer of a server is held against the application's own; each kind of
fault has its words. The servers are real, and each breaks its answers."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.applications import planted
from wsgibench.errors import WsgibenchError
from wsgibench.harness import stable, visit
from wsgibench.harness.answers import Answer
from wsgibench.harness.application import Application as Asked
from wsgibench.harness.requests.request import Request

VISITORS = [{"Cookie": "visitor=%d" % n} for n in range(4)]
REQUESTS = [
    Request("GET", "/"),
    Request("GET", "/time"),
    Request("GET", "/who"),
    Request("GET", "/no"),
    Request("GET", "/same"),
    Request("GET", "/moved"),
    Request("HEAD", "/"),
    Request("POST", "/up", body=b"all of it"),
]
STATUS = {
    "/no": "404 Not Found",
    "/same": "304 Not Modified",
    "/moved": "302 Found",
}


class Application:
    def __init__(self) -> None:
        self.count = 0

    def answer(
        self, method: str, path: str, cookie: str, sent: bytes
    ) -> tuple[str, list[tuple[str, str]], bytes]:
        self.count += 1
        body = sent or b"the page " * 100
        if path == "/time":
            body = b"number %d, said at %d" % (self.count, 7919 * self.count)
        if path == "/who":
            body = b"welcome, " + cookie.encode()
        headers = [
            ("X-Route", path),
            ("Set-Cookie", "a=1"),
            ("Set-Cookie", "b=2"),
            ("ETag", '"A"'),
            ("Content-Type", "text/plain; charset=utf-8"),
        ]
        if path == "/same":
            return STATUS[path], headers, b""
        if path == "/moved":
            headers.append(("Location", "/no"))
        if path == "/time":
            cookie = "s=%d; Path=/; HttpOnly; Max-Age=%d"
            headers.append(("Set-Cookie", cookie % (self.count, self.count)))
        headers.append(("Content-Length", str(len(body))))
        body = b"" if method == "HEAD" else body
        return STATUS.get(path, "200 OK"), headers, body

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        size = int(environ.get("CONTENT_LENGTH") or 0)
        status, headers, body = self.answer(
            environ["REQUEST_METHOD"],
            environ["PATH_INFO"],
            environ.get("HTTP_COOKIE", ""),
            environ["wsgi.input"].read(size),
        )
        start_response(status, headers)
        return [body]


def expected() -> list[stable.Stable]:
    """As baseline.reference finds it."""
    found = []
    app = Application()
    for request in REQUESTS:
        answers = []
        for number in (0, 1, 0, 1):
            status, headers, body = app.answer(
                request.method,
                request.target,
                VISITORS[number]["Cookie"],
                request.body,
            )
            given = Answer(int(status[:3]), tuple(headers), body)
            answers.append(given)
        one = stable.of(answers)
        own = tuple(stable.of(answers[n::2]) for n in (0, 1))
        found.append(dataclasses.replace(one, visitors=own))
    return found


@contextlib.contextmanager
def serving(fault: str) -> Iterator[tuple[str, int]]:
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    made: Any = planted.create_server(Application(), [listener], fault)
    thread = threading.Thread(target=made.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield listener.getsockname()
    finally:
        made.shutdown()
        thread.join()
        made.server_close()


SAID = {
    "nothing": "",
    "drops a header": "GET /: the header x-route is missing",
    "doubles a cookie": "GET /: the header set-cookie comes 3 times, not 2",
    "adds a header": "GET /: a header x-powered-by that the application did "
    "not send",
    "another charset": "GET /: the header content-type is 'text/plain; "
    "charset=latin-1', not 'text/plain; charset=utf-8'",
    "folds cookies": "GET /: the header set-cookie comes once, not 2",
    "another ETag": "GET /: the header etag is 'W/\"A\"', not '\"A\"'",
    "another Location": "GET /moved: the header location is "
    "'http://localhost/no', not '/no'",
    "compresses": "GET /: a header content-encoding that the application did "
    "not send",
    "another byte": "GET /: its body differs from byte 4 on: 'Page the ",
    "no length": "GET /: the header content-length is missing",
    "another case": "GET /: the header etag is '\"a\"', not '\"A\"'",
    "strips a cookie": "GET /time: it sets other cookies: s; Path=/; Max-Age, "
    "not s; Path=/; HttpOnly; Max-Age",
    "200 for 304": "GET /same: status 200, not 304",
    "another status": "GET /no: status 200, not 404",
    "another status to HEAD": "HEAD /: status 501, not 200",
    "another length to HEAD": "HEAD /: the header content-length is '0', not "
    "'900'",
    "truncates": "GET /: its body ends after 899 of 900 bytes",
    "breaks what was promised": "GET /: the answer ended after 899 bytes, 1 "
    "more promised",
    "a word in what changes": "GET /time: its body lacks ', said at '",
    "a body to 304": "GET /same: a body in the answer 304",
    "a body to HEAD": "HEAD /: a body in the answer to HEAD",
    "swaps answers": "GET /who: its body differs from byte 17 on",
    "caches": "GET /who: its body differs from byte 17 on",
    "wrong under load": "",  # that is the load's to see
}


def test_every_fault_has_its_words() -> None:
    assert set(SAID) == set(planted.FAULTS)


@pytest.mark.parametrize("fault", SAID)
def test_fault(fault: str) -> None:
    with serving(fault) as address:
        found = visit.check(
            address,
            REQUESTS,
            VISITORS,
            expected(),
            host="localhost",
            is_first=True,
        )
    said = ["%(request)s: %(what)s" % one for one in found["differences"]]
    if not SAID[fault]:
        assert said == []
        return
    assert any(one.startswith(SAID[fault]) for one in said), said
    assert visit.wrong_answers(found)
    if fault == "swaps answers":
        assert all("at once" in one for one in said)


@pytest.mark.parametrize(
    ("returned", "sentence"),
    [
        ("[{'Cookie': 'a\\r\\nX: 1'}]", r"s:log_in: .*X: 1' is no header"),
        ("[{'{csrf}': 'a\\nb'}]", "s:log_in: .* is no header"),
        ("[{'Cookie': '\\u20ac'}]", "letters beyond latin-1"),
        ("[]", "s:log_in returned no visitor"),
        ("None", "not a list of dicts of headers: None"),
        ("[][0]", "s:log_in failed: IndexError"),
    ],
)
def test_what_sessions_may_not_return(
    tmp_path: Path, returned: str, sentence: str
) -> None:
    (tmp_path / "s.py").write_text(
        "def log_in(url, visitors):\n    return %s\n" % returned
    )
    asked = Asked("s:app", str(tmp_path), sessions="s:log_in")
    with pytest.raises(WsgibenchError, match=sentence):
        visit.sessions(asked, ("127.0.0.1", 1), sys.executable, asked.task())


def test_a_visitors_value_that_cannot_stand_in_a_target() -> None:
    asked = [Request("GET", "/{n}")]
    with pytest.raises(WsgibenchError, match="GET .* is no target"):
        visit.as_visitor(asked, [{"{n}": "a b"}], 0)

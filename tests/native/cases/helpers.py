"""Threads and greenlets of the application that use a request."""

from __future__ import annotations

import functools
import importlib
import threading
import time
from typing import Any, Callable

from tests.native.cases.kit import (
    PATIENCE,
    Serving,
    cases_of,
    connect,
    main,
    one_answer,
    receive,
    text,
)

SIZE = 2_000_000
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % SIZE
#: Calls the application before the body is there.
STREAM = {"stream_body": 1}


class Helper(threading.Thread):
    """Does something, and keeps what it returned or raised."""

    def __init__(self, function: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self._function = function
        self.result: Any = None
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self.result = self._function()
        except BaseException as error:
            self.error = error

    def wait(self) -> Any:
        self.join(PATIENCE)
        assert not self.is_alive(), "the helper does not come back"
        if self.error is not None:
            raise self.error
        return self.result

    def fails(self) -> None:
        self.join(PATIENCE)
        assert not self.is_alive(), "the helper does not come back"
        assert isinstance(self.error, RuntimeError), (self.result, self.error)
        assert "over" in str(self.error)


READS: dict[str, Callable[[Any], Any]] = {
    "read": lambda source: source.read(),
    "some": lambda source: source.read(100),
    "line": lambda source: source.readline(),
    "lines": lambda source: source.readlines(),
    "next": next,
}


def answered_first(threads: int) -> None:
    """The application answers while helpers wait for the body."""
    helpers: list[Helper] = []

    def app(environ: Any, start_response: Any) -> Any:
        source = environ["wsgi.input"]
        read = READS[environ["QUERY_STRING"]]
        for _ in range(3):
            helpers.append(Helper(lambda: read(source)))
        time.sleep(0.05)  # most have begun to wait; any order is right
        return text(start_response, b"early", "408 Request Timeout")

    serving = Serving(app, threads, **STREAM)
    for name in READS:
        with connect(
            serving.server, POST.replace(b"/", b"/?" + name.encode(), 1)
        ) as client:
            assert answer_of(serving, client).endswith(b"early"), name
    for helper in helpers:
        serving.until(lambda: not helpers[0].is_alive())
        helper.fails()
    serving.server.close()


def answer_of(serving: Serving, client: Any) -> bytes:
    """Read in another thread, while this one serves."""
    answers = Helper(lambda: one_answer(client))
    serving.until(lambda: not answers.is_alive())
    data: bytes = answers.wait()
    return data


def waited_for(threads: int) -> None:
    """The application waits for a helper that reads all of it."""

    def app(environ: Any, start_response: Any) -> Any:
        source = environ["wsgi.input"]
        data = Helper(source.read).wait()
        assert Helper(source.read).wait() == b""
        return text(start_response, b"%d" % len(data))

    serving = Serving(app, threads, **STREAM)
    for _ in range(3):
        with connect(serving.server, POST) as client:
            sender = Helper(functools.partial(client.sendall, b"x" * SIZE))
            assert answer_of(serving, client).endswith(b"%d" % SIZE)
            sender.wait()
    serving.server.close()


def several_share_it(threads: int) -> None:
    """Each byte is read once, each line is whole."""
    line = b"x" * 99 + b"\n"

    def app(environ: Any, start_response: Any) -> Any:
        source = environ["wsgi.input"]
        helpers = [Helper(lambda: list(source)) for _ in range(4)]
        lines = [line for helper in helpers for line in helper.wait()]
        assert set(lines) == {line}
        return text(start_response, b"%d" % len(lines))

    serving = Serving(app, threads, **STREAM)
    with connect(serving.server, POST) as client:
        sender = Helper(lambda: client.sendall(line * (SIZE // len(line))))
        count = b"\r\n\r\n%d" % (SIZE // len(line))
        assert answer_of(serving, client).endswith(count)
        sender.wait()
    serving.server.close()


def others_are_served(threads: int) -> None:
    """While a helper reads for a response that is under way."""
    helpers: list[Helper] = []

    def app(environ: Any, start_response: Any) -> Any:
        if environ["REQUEST_METHOD"] == "GET":
            return text(start_response, b"other")
        start_response("200 OK", [])
        helpers.append(Helper(environ["wsgi.input"].read))

        def body() -> Any:
            yield b"begun"
            while helpers[0].is_alive():
                yield b"."

        return body()

    serving = Serving(app, threads, **STREAM)
    with connect(serving.server, POST) as client:
        serving.until(lambda: helpers)
        for _ in range(10):
            assert serving.ask().endswith(b"other")
        sender = Helper(lambda: client.sendall(b"x" * SIZE))

        def whole() -> bytes:
            """The chunked answer; ConnectionError if it is cut off."""
            data = b""
            while not data.endswith(b"\r\n0\r\n\r\n"):
                piece = client.recv(1 << 16)
                if not piece:
                    raise ConnectionError(data)
                data += piece
            return data

        reader = Helper(whole)
        serving.until(lambda: not helpers[0].is_alive())
        assert len(helpers[0].wait()) == SIZE
        sender.wait()
        serving.until(lambda: not reader.is_alive())
        assert reader.wait().startswith(b"HTTP/1.1 200")
    serving.server.close()


def writes_for_it(threads: int) -> None:
    """write() in a helper that the application waits for."""
    size = 8_000_000

    def app(environ: Any, start_response: Any) -> Any:
        write = start_response("200 OK", [("Content-Length", str(size))])
        Helper(lambda: write(b"x" * (size - 1))).wait()
        Helper(lambda: write(b"x")).wait()
        return []

    serving = Serving(app, threads)
    with connect(serving.server) as client:
        answer = answer_of(serving, client)
        assert answer.partition(b"\r\n\r\n")[2] == b"x" * size
    serving.server.close()


def starts_for_it(threads: int) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        head = ("200 OK", [("Content-Length", "1")])
        Helper(lambda: start_response(*head)).wait()
        return [b"x"]

    serving = Serving(app, threads)
    assert serving.ask().endswith(b"\r\n\r\nx")
    serving.server.close()


def writes_on(threads: int) -> None:
    """A helper writes without end, while the application answers."""
    helpers: list[Helper] = []

    def app(environ: Any, start_response: Any) -> Any:
        write = start_response("200 OK", [])

        def without_end() -> None:
            while True:
                write(b"from the helper")

        write(b"first")
        helpers.append(Helper(without_end))
        time.sleep(0.02)
        return [b"last"]

    serving = Serving(app, threads)
    last = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    clients = [connect(serving.server, last) for _ in range(5)]
    answers = [Helper(functools.partial(receive, c)) for c in clients]
    for answer in answers:
        serving.until(lambda: not any(a.is_alive() for a in answers))
        assert b"first" in answer.wait()
    for client in clients:
        client.close()
    serving.until(lambda: not any(h.is_alive() for h in helpers))
    for helper in helpers:
        assert isinstance(helper.error, (RuntimeError, OSError))
    serving.server.close()


def is_over(source: Any) -> bool:
    try:
        source.read()
    except RuntimeError:
        return True
    return False


def kept_for_later(threads: int) -> None:
    """What a call left behind is used in and between later calls."""
    kept: list[tuple[Any, Any, Any]] = []
    errors: list[str] = []

    def use(source: Any, start_response: Any, write: Any) -> None:
        for function in (
            source.read,
            source.readline,
            source.readlines,
            lambda: next(source),
            lambda: source.read(1),
            lambda: write(b"x"),
            lambda: start_response("200 OK", []),
        ):
            try:
                function()
            except RuntimeError as error:
                errors.append(str(error))
            else:
                errors.append("it was allowed")

    def app(environ: Any, start_response: Any) -> Any:
        for old in kept:
            use(*old)
        write = start_response("200 OK", [("Content-Length", "1")])
        kept.append((environ["wsgi.input"], start_response, write))
        return [b"x"]

    serving = Serving(app, threads)
    for body in (b"", b"short", b"x" * 1_000_000) * 2:
        raw = b"POST / HTTP/1.1\r\nHost: a\r\n"
        raw += b"Transfer-Encoding: chunked\r\n\r\n"
        if body:
            raw += b"%x\r\n%s\r\n" % (len(body), body)
        assert serving.ask(raw + b"0\r\n\r\n").endswith(b"x")
        # A client has the answer a little before its call is over.
        serving.until(lambda: is_over(kept[-1][0]))
        use(*kept[-1])
    serving.server.close()
    for old in kept:
        use(*old)
    assert errors
    assert all("over" in error for error in errors), errors


def still_there_at_the_close(threads: int) -> None:
    """Helpers wait in read() and write() while the server is closed."""
    helpers: list[Helper] = []

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        helpers.append(Helper(environ["wsgi.input"].read))

        def body() -> Any:
            while True:
                yield b"x" * 100_000

        return body()

    serving = Serving(app, threads, **STREAM)
    clients = [connect(serving.server, POST) for _ in range(2)]
    serving.until(lambda: len(helpers) == 2)
    serving.server.close()
    for helper in helpers:
        helper.join(PATIENCE)
        assert helper.error is not None
    for client in clients:
        client.close()


def _try(function: Callable[..., Any], *arguments: Any) -> None:
    """Some of these calls come too early or too late; none may do harm."""
    for _ in range(30):
        try:
            function(*arguments)
        except Exception:
            return


def everything_at_once(threads: int) -> None:
    """Helpers use all that a request gives, and change the application's
    lists, while it is answered: what holds without the GIL, too."""
    headers = [("X-One", "1"), ("X-Two", "2")]
    helpers: list[Helper] = []

    def disturb(function: Callable[..., Any], *arguments: Any) -> None:
        for _ in range(2):
            helpers.append(
                Helper(functools.partial(_try, function, *arguments))
            )

    def change(items: list[Any]) -> None:
        items.append(items[0])
        del items[1:]

    def app(environ: Any, start_response: Any) -> Any:
        body = [b"a", b"b", b"c"]
        disturb(environ["wsgi.input"].read, 10)
        disturb(environ.copy)
        disturb(start_response, "200 OK", headers, (ValueError,) * 3)
        disturb(change, headers)
        disturb(change, body)
        try:
            write = start_response("200 OK", headers)
        except AssertionError:
            return body  # a helper was first
        disturb(write, b"helper's")
        disturb(serving.server.stats)
        _try(write, b"own")
        return body

    serving = Serving(app, threads, **STREAM)
    for number in range(15):
        size = 5000 if number % 2 else 0
        head = b"POST / HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % size
        with connect(serving.server, head + b"x" * size) as client:
            client.settimeout(PATIENCE)
            receiver = Helper(functools.partial(receive, client))
            serving.until(lambda: not receiver.is_alive())  # noqa: B023
            receiver.wait()
    for helper in helpers:
        helper.join(PATIENCE)
        assert not helper.is_alive()
    serving.server.close()


def greenlets(threads: int) -> None:
    """The same with gevent, where the application's own thread waits."""
    gevent = importlib.import_module("gevent")

    def app(environ: Any, start_response: Any) -> Any:
        source = environ["wsgi.input"]
        readers = [gevent.spawn(source.read, 1000) for _ in range(3)]
        gevent.joinall(readers)
        size = sum(len(reader.get()) for reader in readers)
        late = gevent.spawn_later(0.05, source.read)
        lates.append(late)
        return text(start_response, b"%d" % size)

    lates: list[Any] = []
    serving = Serving(app, threads, **STREAM)
    with connect(serving.server, POST) as client:
        sender = Helper(lambda: client.sendall(b"x" * 3000))
        assert answer_of(serving, client).endswith(b"3000")
        sender.wait()
    if not threads:
        gevent.joinall(lates)
        assert isinstance(lates[0].exception, RuntimeError)
    serving.server.close()


CASES = cases_of(globals())

if __name__ == "__main__":
    main(CASES)

"""What an application does in its own way has the same end on both bindings.

Each case says what the client gets; `logged` is in the error log."""

from __future__ import annotations

import contextlib
import functools
import io
import signal
import socket
import threading
from typing import Any, Callable

import pytest

from wsgibench import Server, native

Start = Callable[..., Any]
OK: tuple[str, list[tuple[str, str]]] = ("200 OK", [])


def ask(address: Any, method: str = "GET") -> bytes:
    """The whole of the answer, which may be cut off."""
    with socket.create_connection(address[:2], 30) as sock:
        request = "%s / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        sock.sendall((request % method).encode())
        data = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := sock.recv(65536):
                data += piece
        return data


class Bytes(bytes):
    pass


def subclass_of_bytes(environ: Any, start: Any) -> Any:
    start(*OK)
    return [Bytes(b"hello"), b"!"]


def subclass_of_the_file_wrapper(environ: Any, start: Any) -> Any:
    wrapper = type("Wrapper", (environ["wsgi.file_wrapper"],), {})
    start(*OK)
    return wrapper(io.BytesIO(b"wrapped"))


def other_file_in_the_wrapper(environ: Any, start: Any) -> Any:
    wrapper = environ["wsgi.file_wrapper"](io.BytesIO(b"wrapped"))
    wrapper.filelike = io.BytesIO(b"other")
    start(*OK)
    return wrapper


def size_by_name(environ: Any, start: Any) -> Any:
    environ["wsgi.input"].read(size=3)
    start(*OK)
    return []


def data_by_name(environ: Any, start: Any) -> Any:
    start(*OK)(data=b"")
    return []


def far_below_zero(environ: Any, start: Any) -> Any:
    body = environ["wsgi.input"].read(-(2**70))
    start(*OK)
    return [b"all: %r" % body]


class CloseIsNone:
    close = None

    def __iter__(self) -> Any:
        return iter([b"none to close"])


def close_is_none(environ: Any, start: Any) -> Any:
    start(*OK)
    return CloseIsNone()


def late(exc_info: Any) -> Any:
    def app(environ: Any, start: Any) -> Any:
        start(*OK)(b"out")
        start("500 Oops", [], exc_info)
        return []

    return app


def wide(status: str, *fields: tuple[str, str]) -> Any:
    def app(environ: Any, start: Any) -> Any:
        start(status, list(fields))
        return []

    return app


CASES = {
    "subclass_of_bytes": (subclass_of_bytes, b"Content-Length: 6\r\n", ""),
    "subclass_of_the_file_wrapper": (
        subclass_of_the_file_wrapper,
        b"wrapped",
        "",
    ),
    "other_file_in_the_wrapper": (
        other_file_in_the_wrapper,
        b"HTTP/1.1 500 ",
        "AttributeError",
    ),
    "size_by_name": (size_by_name, b"HTTP/1.1 500 ", "TypeError"),
    "data_by_name": (data_by_name, b"HTTP/1.1 500 ", "TypeError"),
    "far_below_zero": (far_below_zero, b"all: b''", ""),
    "close_is_none": (close_is_none, b"none to close", ""),
    "late, no tuple": (late("x"), b"out", "what sys.exc_info() returned"),
    "late, too short": (late((1,)), b"out", "what sys.exc_info() returned"),
    "late, a text": (late((ValueError, "why", None)), b"out", "why"),
    "wide status": (wide("200 \u0142"), b" 500 ", "the status holds"),
    "wide name": (
        wide("200 OK", ("\u0142", "b")),
        b" 500 ",
        "a header name holds",
    ),
    "wide value": (
        wide("200 OK", ("a", "\u0142")),
        b" 500 ",
        "a header value holds",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_of_an_application(
    name: str, serve_app: Start, capfd: pytest.CaptureFixture[str]
) -> None:
    app, answer, logged = CASES[name]
    server = serve_app(app)
    assert answer in ask(server.address)
    server.stop()
    errors = capfd.readouterr().err
    assert logged in errors
    assert bool(logged) == bool(errors)


NO_CONTENT = {
    ("205 Reset Content", "GET"): b"Content-Length: 0\r\n",
    ("205 Reset Content", "HEAD"): b"Content-Length: 0\r\n",
    ("204 No Content", "GET"): b"",
    ("304 Not Modified", "GET"): b"",
}


@pytest.mark.parametrize("block", [b"hi", b"h" * 30_000])
@pytest.mark.parametrize("way", ["list", "parts", "iterator", "write"])
@pytest.mark.parametrize(("status", "method"), NO_CONTENT)
def test_no_content(
    status: str, method: str, way: str, block: bytes, serve_app: Start
) -> None:
    """RFC 9110 15.3.5, 15.3.6, 15.4.5; and 8.6: what a 304 says of the length
    is that of a 200, which is not known."""

    def app(environ: Any, start: Any) -> Any:
        write = start(status, [("X-Way", way)])
        if way == "write":
            write(block)
            return []
        if way == "iterator":
            return iter([block, b"more"])
        return [block] if way == "list" else [block, b"more"]

    head, _, body = ask(serve_app(app).address, method).partition(b"\r\n\r\n")
    length = NO_CONTENT[status, method]
    assert body == b""
    assert head.startswith(b"HTTP/1.1 " + status.encode())
    assert (b"Content-Length" in head) == bool(length)
    assert length in head + b"\r\n"


def test_the_length_that_a_304_is_given(serve_app: Start) -> None:
    def app(environ: Any, start: Any) -> Any:
        start("304 Not Modified", [("Content-Length", "17")])
        return [b"hi"]

    head = ask(serve_app(app).address)
    assert b"Content-Length: 17\r\n" in head
    assert head.endswith(b"\r\n\r\n")


def test_types_that_only_the_server_can_make(
    serve_app: Start, binding: str
) -> None:
    """An object without a call behind it would crash."""
    made = []

    def app(environ: Any, start: Any) -> Any:
        for kind in map(type, (environ["wsgi.input"], start, start(*OK))):
            for make in (kind, functools.partial(object.__new__, kind)):
                with contextlib.suppress(TypeError):
                    made.append(type(make()))
        return [b"alive"]

    server = serve_app(app)
    assert ask(server.address).endswith(b"alive")
    assert ask(server.address).endswith(b"alive")
    assert (binding == "cffi") or not made  # a class of Python makes some


@pytest.mark.parametrize("timeout", [None, 60])
def test_a_signal_is_handled_while_a_turn_waits(
    timeout: float | None, binding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody asks for anything, and the caller has no descriptor for
    signals."""
    monkeypatch.setenv("WSGIBENCH_BACKEND", binding)
    native.binding.cache_clear()

    class Came(Exception):
        pass

    def handler(number: int, frame: Any) -> None:
        raise Came

    before = signal.signal(signal.SIGUSR1, handler)
    me = threading.get_ident()
    late = threading.Timer(0.1, signal.pthread_kill, (me, signal.SIGUSR1))
    server = Server(lambda environ, start: [], "127.0.0.1", 0, threads=0)
    try:
        server.turn(0)
        late.start()
        with pytest.raises(Came):
            server.turn(timeout)
    finally:
        late.join()
        signal.signal(signal.SIGUSR1, before)
        server.close()


def test_a_turn_ends_when_its_time_is_over(
    binding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After more than one poll, too."""
    monkeypatch.setenv("WSGIBENCH_BACKEND", binding)
    native.binding.cache_clear()
    server = Server(lambda environ, start: [], "127.0.0.1", 0, threads=0)
    try:
        assert server.turn(1.2) == 0
        assert server.turn(0) == 0
    finally:
        server.close()

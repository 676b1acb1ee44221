"""wsgi.file_wrapper, and files that are returned."""

from __future__ import annotations

import io
import itertools
import os
import tempfile
import threading
from typing import Any, Callable

from tests.native.cases.abuse.case import ANY, CASES, CUT, FAILS, case, start
from tests.native.cases.abuse.returned import Evil


def temporary(data: bytes, **more: Any) -> Any:
    file = tempfile.TemporaryFile(**more)
    file.write(data)
    file.seek(0)
    return file


def file_case(
    name: str,
    expected: Any,
    make: Callable[[], Any],
    *block: int,
    length: int = -1,
) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Any:
        fields = [("Content-Length", str(length))] if length >= 0 else []
        start_response("200 OK", fields)
        return environ["wsgi.file_wrapper"](make(), *block)

    CASES["file_" + name] = (app, expected, b"")


def at(file: Any, offset: int) -> Any:
    file.seek(offset)
    return file


def closed(file: Any) -> Any:
    file.close()
    return file


def pipe(data: bytes) -> Any:
    out, into = os.pipe()
    os.write(into, data)
    os.close(into)
    return open(out, "rb")


def unread(file: Any) -> Any:
    """Bytes of it are in the buffer of the reader already."""
    file.read(2)
    file.peek(1)
    return file


def behind_its_back(file: Any) -> Any:
    """Its descriptor is another file's."""
    with open("/dev/null", "rb") as other:
        os.dup2(other.fileno(), file.fileno())
    return file


def spooled(size: int) -> Any:
    file = tempfile.SpooledTemporaryFile(max_size=10)
    file.write(b"x" * size)
    file.seek(0)
    return file


class Reads:
    def __init__(self, *blocks: Any) -> None:
        self.blocks = list(blocks)

    def read(self, size: int) -> Any:
        return self.blocks.pop(0) if self.blocks else b""


class SelfClosing(Reads):
    def fileno(self) -> int:
        raise io.UnsupportedOperation

    def close(self) -> None:
        raise ValueError("close")


def open_self() -> Any:
    with open("/proc/self/cmdline", "rb") as file:
        return file.read()


file_case("bytesio", b"abc", lambda: io.BytesIO(b"abc"))
file_case("bytesio_middle", b"c", lambda: at(io.BytesIO(b"abc"), 2))
file_case("pipe", b"abc", lambda: pipe(b"abc"))
file_case("empty_pipe", b"", lambda: pipe(b""))
file_case("proc", open_self(), lambda: open("/proc/self/cmdline", "rb"))
file_case("null", b"", lambda: open("/dev/null", "rb"))
file_case(
    "zero", b"\0" * 100_000, lambda: open("/dev/zero", "rb"), length=100_000
)
file_case("closed", FAILS, lambda: closed(temporary(b"abc")))
file_case("closed_bytesio", FAILS, lambda: closed(io.BytesIO(b"abc")))
file_case("descriptor_taken", ANY, lambda: behind_its_back(temporary(b"a")))
file_case("middle", b"cd", lambda: at(temporary(b"abcd"), 2))
file_case("end", b"", lambda: at(temporary(b"abcd"), 4))
file_case("past_the_end", b"", lambda: at(temporary(b"abcd"), 4000))
file_case("buffered", b"cd", lambda: unread(temporary(b"abcd")))
file_case("unbuffered", b"abcd", lambda: temporary(b"abcd", buffering=0))
file_case("text", FAILS, lambda: open(__file__))
file_case("text_io", FAILS, lambda: io.StringIO("abc"))
file_case("write_only", FAILS, lambda: open("/dev/null", "wb"))
file_case("spooled", b"xxx", lambda: spooled(3))
file_case("spooled_out", b"x" * 30, lambda: spooled(30))
file_case("named", b"abc", lambda: wrapped(b"abc"))
file_case("none_blocks", b"", lambda: Reads(None, b"never"))
file_case("text_blocks", FAILS, lambda: Reads("text"))
file_case("text_later", CUT, lambda: Reads(b"begun", "text"))
file_case("evil_blocks", ANY, lambda: Reads(Evil(b"begun")))
file_case("close_raises", b"ab", lambda: SelfClosing(b"a", b"b"))
file_case("no_file", FAILS, lambda: 5)
file_case("nothing", FAILS, lambda: None)
file_case("block_0", b"abc", lambda: io.BytesIO(b"abc"), 0)
file_case("block_negative", b"abc", lambda: io.BytesIO(b"abc"), -3)
file_case("block_1", b"abc", lambda: io.BytesIO(b"abc"), 1)
file_case("block_huge", b"abc", lambda: io.BytesIO(b"abc"), 1 << 62)
file_case("shorter", CUT, lambda: temporary(b"abc"), length=10)
file_case("longer", b"ab", lambda: temporary(b"abc"), length=2)
file_case("long_like", b"ab", lambda: io.BytesIO(b"abc"), length=2)
file_case("short_like", CUT, lambda: io.BytesIO(b"abc"), length=10)
file_case("sized_0", b"", lambda: temporary(b"abc"), length=0)


def wrapped(data: bytes) -> Any:
    file = tempfile.NamedTemporaryFile()
    file.write(data)
    file.seek(0)
    return file


@case(ANY)
def file_truncated(environ: Any, start_response: Any) -> Any:
    """After its size was read; and grown, while it is sent."""
    file = temporary(b"x" * 8_000_000)
    start(start_response)
    threading.Timer(0.002, file.truncate, [1000]).start()
    return environ["wsgi.file_wrapper"](file)


@case(ANY)
def file_closed_elsewhere(environ: Any, start_response: Any) -> Any:
    file = temporary(b"x" * 8_000_000)
    start(start_response)
    threading.Timer(0.001, file.close).start()
    return environ["wsgi.file_wrapper"](file)


@case(b"abcd")
def file_half_consumed(environ: Any, start_response: Any) -> Any:
    wrapper = environ["wsgi.file_wrapper"](temporary(b"abcd"), 2)
    start(start_response)(next(wrapper))
    return wrapper


@case(b"cd")
def file_begun(environ: Any, start_response: Any) -> Any:
    wrapper = environ["wsgi.file_wrapper"](temporary(b"abcd"), 2)
    assert next(wrapper) == b"ab"
    start(start_response)
    return wrapper


@case(b"abcdabcd")
def file_in_an_iterable(environ: Any, start_response: Any) -> Any:
    wrap = environ["wsgi.file_wrapper"]
    start(start_response)
    files = [wrap(temporary(b"abcd"), 3) for _ in range(2)]
    return itertools.chain.from_iterable(files)


@case(b"abcd")
def file_without_start(environ: Any, start_response: Any) -> Any:
    class Late(io.BytesIO):
        def read(self, size: Any = -1) -> bytes:
            if self.tell() == 0:
                start(start_response)
            return super().read(size)

    return environ["wsgi.file_wrapper"](Late(b"abcd"))


@case(FAILS)
def file_never_started(environ: Any, start_response: Any) -> Any:
    return environ["wsgi.file_wrapper"](temporary(b"abcd"))


WRAPPERS: list[Any] = []


@case(ANY)
def file_wrapper_kept(environ: Any, start_response: Any) -> Any:
    class Stays(io.BytesIO):
        def close(self) -> None:
            pass

    if not WRAPPERS:
        WRAPPERS.append(environ["wsgi.file_wrapper"](Stays(b"ab")))
    start(start_response)
    return WRAPPERS[0]

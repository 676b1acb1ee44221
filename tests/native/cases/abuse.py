"""Applications that do what no application should, many of them on one
server. Whatever one does, the client gets its answer whole, or an error, or an
answer that is seen to be cut off; and the server serves the next request.

``python -m tests.native.cases.abuse all THREADS [VERSION [NAME ...]]``
"""

from __future__ import annotations

import collections
import faulthandler
import functools
import gc
import io
import itertools
import os
import queue
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Callable

from wsgibench import Server

App = Callable[[dict[str, Any], Any], Any]
#: What must come: these bytes, or a 500, or an answer that breaks off; BEGUN:
#: any of them, for it depends on who comes first.
FAILS, CUT, ANY = "a 500", "cut off", "any"
#: name -> (application, what must come, the request's body)
CASES: dict[str, tuple[App, Any, bytes]] = {}


def case(expected: Any, body: bytes = b"") -> Callable[[App], App]:
    def add(app: App) -> App:
        CASES[app.__name__] = (app, expected, body)
        return app

    return add


def returns(name: str, expected: Any, make: Callable[[], Any]) -> None:
    """The application starts a response and returns what make() makes."""

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [])
        return make()

    CASES[name] = (app, expected, b"")


def start(start_response: Any) -> Any:
    return start_response("200 OK", [])


# What is returned -----------------------------------------------------------


class Evil(bytes):
    def __len__(self) -> int:
        return 1 << 40

    def __bytes__(self) -> bytes:
        raise ValueError("__bytes__")

    def __bool__(self) -> bool:
        raise ValueError("__bool__")

    def __eq__(self, other: object) -> bool:
        raise ValueError("__eq__")

    def __getitem__(self, key: Any) -> Any:
        raise ValueError("__getitem__")

    def __iter__(self) -> Any:
        raise ValueError("__iter__")

    __hash__ = None  # type: ignore[assignment]


class Sub(list):  # type: ignore[type-arg]
    def __iter__(self) -> Iterator[bytes]:
        return iter([b"from ", b"iter"])

    def __len__(self) -> int:
        return 1


class SubTuple(tuple):  # type: ignore[type-arg]
    def __iter__(self) -> Iterator[bytes]:
        return iter([b"from ", b"iter"])


class Blocks:
    """An iterable; the subclasses misbehave."""

    def __init__(self, *blocks: Any) -> None:
        self.blocks = iter(blocks)

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        return next(self.blocks)


class LenRaises(Blocks):
    def __len__(self) -> int:
        raise ValueError("__len__")

    def __length_hint__(self) -> int:
        raise ValueError("__length_hint__")


class Lazy(Blocks):
    def __getattr__(self, name: str) -> Any:
        raise ValueError("no " + name)


class CloseText(Blocks):
    close = "not callable"


class CloseRaises(Blocks):
    def close(self) -> None:
        raise ValueError("close")


class CloseProperty(Blocks):
    @property
    def close(self) -> Any:
        raise RuntimeError("property")


class NoIterator:
    def __iter__(self) -> Any:
        return 7


class IterRaises:
    def __iter__(self) -> Any:
        raise ValueError("__iter__")


class Old:
    def __getitem__(self, index: int) -> bytes:
        if index > 2:
            raise IndexError
        return b"%d" % index


class OldRaises:
    def __getitem__(self, index: int) -> bytes:
        if index > 2:
            raise KeyError(index)
        return b"%d" % index


class Recursive(Blocks):
    def __next__(self) -> Any:
        return self.__next__()


class Unprintable(Exception):
    def __str__(self) -> str:
        raise ValueError("__str__")

    __repr__ = __str__


class Unmakeable(Exception):
    def __init__(self) -> None:
        raise ValueError("__init__")


def raises(error: Any) -> Iterator[bytes]:
    yield b"begun"
    raise error


def own_next() -> Any:
    found: list[Any] = []

    def body() -> Iterator[bytes]:
        yield b"begun"
        yield next(found[0])

    found.append(body())
    return found[0]


async def never() -> None:
    pass


async def never_ever() -> Any:
    yield b"x"


def never_awaited() -> Any:
    coroutine = never()
    coroutine.close()
    return coroutine


def own_list() -> Any:
    one: list[Any] = [b"x"]
    one.append(one)
    return one


def growing() -> Any:
    """A list that grows while it is sent."""
    blocks = [b"a"]

    def grow() -> Iterator[bytes]:
        for block in blocks:
            if len(blocks) < 4:
                blocks.append(b"b")
            yield block

    return grow()


returns("list_subclass", b"from iter", lambda: Sub([b"wrong"]))
returns("tuple_subclass", b"from iter", lambda: SubTuple([b"wrong"]))
returns("len_raises", b"ab", lambda: LenRaises(b"a", b"b"))
returns("getattr_raises", b"ab", lambda: Lazy(b"a", b"b"))
returns("close_is_text", b"ab", lambda: CloseText(b"a", b"b"))
returns("close_raises", b"ab", lambda: CloseRaises(b"a", b"b"))
returns("close_property", b"ab", lambda: CloseProperty(b"a", b"b"))
returns("no_iterator", FAILS, NoIterator)
returns("iter_raises", FAILS, IterRaises)
returns("getitem", b"012", Old)
returns("getitem_raises", CUT, OldRaises)
returns("recursive", FAILS, Recursive)
returns("nothing", FAILS, lambda: None)
returns("number", FAILS, lambda: 0)
returns("text", FAILS, lambda: "text")
returns("bytes_object", FAILS, lambda: b"bytes")
returns("a_type", FAILS, lambda: list)
returns("coroutine", FAILS, never_awaited)
returns("async_generator", FAILS, never_ever)
returns("text_blocks", FAILS, lambda: ["text"])
returns("text_later", CUT, lambda: iter([b"begun", "text"]))
returns("text_in_a_list", ANY, lambda: [b"begun", "text"])
returns("bytearray_block", FAILS, lambda: [bytearray(b"x")])
returns("memoryview_block", FAILS, lambda: [memoryview(b"x")])
returns("none_block", FAILS, lambda: [None])
returns("own_list", CUT, own_list)
returns("evil_bytes", b"evil", lambda: [Evil(b"evil")])
returns("evil_blocks", b"evil!", lambda: [Evil(b"evil"), Evil(b"!")])
returns("evil_iterator", b"evil!", lambda: iter([Evil(b"evil"), Evil(b"!")]))
returns("deque", b"ab", lambda: collections.deque([b"a", b"b"]))
returns("chain", b"ab", lambda: itertools.chain([b"a"], [b"b"]))
returns("empty_chain", b"", lambda: itertools.chain([], [b""]))
returns("sentinel", b"abc", lambda: iter(io.BytesIO(b"abc").read, b""))
returns("growing", b"abbb", growing)
returns("bytesio", b"a\nb", lambda: io.BytesIO(b"a\nb"))
returns("view", b"ab", lambda: {b"a": 1, b"b": 2}.keys())
returns("generator_own_next", CUT, own_next)
ERRORS: dict[str, Any] = {
    "value_error": ValueError("x"),
    "stop_iteration": StopIteration(5),
    "unprintable": Unprintable(),
    "unmakeable": Unmakeable,
    "memory_error": MemoryError(),
    "recursion_error": RecursionError(),
    "os_error": ConnectionResetError(104, "not this one"),
    "broken_pipe": BrokenPipeError(32, "nor this"),
    "generator_exit": GeneratorExit(),
    "not_an_exception": 5,
    "base_exception": BaseException("base"),
}
for name, error in ERRORS.items():
    returns(name, CUT, functools.partial(raises, error))


@case(FAILS)
def unprintable_at_once(environ: Any, start_response: Any) -> Any:
    raise Unprintable


@case(FAILS)
def stop_iteration_in_call(environ: Any, start_response: Any) -> Any:
    raise StopIteration


@case(FAILS)
def generator_without_start(environ: Any, start_response: Any) -> Any:
    yield b"x"


@case(b"late")
def start_in_iter(environ: Any, start_response: Any) -> Any:
    class Body(Blocks):
        def __iter__(self) -> Any:
            start(start_response)
            return iter([b"late"])

    return Body()


@case(b"x")
def close_uses_everything(environ: Any, start_response: Any) -> Any:
    class Body(Blocks):
        def close(self) -> None:
            for use in (
                environ["wsgi.input"].read,
                environ["wsgi.input"].readlines,
                lambda: write(b"after the end"),
                lambda: start_response("500 No", []),
            ):
                try:
                    use()
                except RuntimeError:
                    continue
                except Exception as error:
                    raise SystemExit("close_uses_everything") from error
            environ.clear()

    write = start(start_response)
    return Body(b"x")


@case(b"x", b"a body")
def del_uses_everything(environ: Any, start_response: Any) -> Any:
    class Body(Blocks):
        def __del__(self) -> None:
            for use in (
                environ["wsgi.input"].read,
                lambda: write(b"after the end"),
                lambda: start_response("500 No", []),
            ):
                try:
                    use()
                except RuntimeError:
                    pass
            gc.collect()

    write = start(start_response)
    return Body(b"x")


# start_response -------------------------------------------------------------


def head_case(name: str, expected: Any, *arguments: Any, **more: Any) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Any:
        start_response(*arguments, **more)
        return [b"x"]

    CASES["head_" + name] = (app, expected, b"")


class Name(str):
    def encode(self, *arguments: Any) -> Any:
        raise ValueError("encode")

    def __str__(self) -> str:
        raise ValueError("__str__")

    def __len__(self) -> int:
        return 0

    def __hash__(self) -> int:
        raise ValueError("__hash__")


class Fields(list):  # type: ignore[type-arg]
    def __iter__(self) -> Any:
        raise ValueError("__iter__")

    def __len__(self) -> int:
        return 3


head_case("no_arguments", FAILS)
head_case("one_argument", FAILS, "200 OK")
head_case("four", FAILS, "200 OK", [], None, None)
head_case("keywords", FAILS, status="200 OK", response_headers=[])
head_case("unknown_keyword", FAILS, "200 OK", [], wrong=1)
head_case("bytes_status", FAILS, b"200 OK", [])
head_case("number_status", FAILS, 200, [])
head_case("status_alone", b"x", "200", [])
head_case("status_words", FAILS, "OK 200", [])
head_case("status_1xx", FAILS, "101 Switching Protocols", [])
head_case("status_crlf", FAILS, "200 OK\r\nX: y", [])
head_case("status_nul", FAILS, "200 OK\0", [])
head_case("status_wide", FAILS, "200 \u2603", [])
head_case("status_empty", FAILS, "", [])
head_case("tuple_fields", FAILS, "200 OK", ())
head_case("dict_fields", FAILS, "200 OK", {})
head_case("none_fields", FAILS, "200 OK", None)
head_case("list_pair", FAILS, "200 OK", [["a", "b"]])
head_case("triple", FAILS, "200 OK", [("a", "b", "c")])
head_case("bytes_name", FAILS, "200 OK", [(b"a", "b")])
head_case("none_value", FAILS, "200 OK", [("a", None)])
head_case("nul", FAILS, "200 OK", [("a", "b\0c")])
head_case("nul_in_name", FAILS, "200 OK", [("a\0b", "c")])
head_case("crlf", FAILS, "200 OK", [("a", "b\r\nSet-Cookie: c")])
head_case("wide_value", FAILS, "200 OK", [("a", "\u2603")])
head_case("latin", b"x", "200 \xdc", [("a", "\xe4")])
head_case("surrogate", FAILS, "200 OK", [("a", "\udc80")])
head_case("colon_name", FAILS, "200 OK", [("a:", "b")])
head_case("empty_name", FAILS, "200 OK", [("", "b")])
head_case("hop_by_hop", FAILS, "200 OK", [("Transfer-Encoding", "chunked")])
head_case("two_lengths", FAILS, "200 OK", [("Content-Length", "1")] * 2)
head_case("other_lengths", FAILS, "200 OK",
          [("Content-Length", "1"), ("content-length", "2")])
head_case("bad_length", FAILS, "200 OK", [("Content-Length", "+1")])
head_case("huge_length", FAILS, "200 OK", [("Content-Length", "9" * 30)])
head_case("many", b"x", "200 OK", [("X-%d" % n, "y" * 50) for n in range(999)])
head_case("long", b"x", "200 OK", [("X", "y" * 1_000_000)])
head_case("evil_str", ANY, Name("200 OK"), [(Name("a"), Name("b"))])
head_case("evil_fields", ANY, "200 OK", Fields())
head_case("exc_info_none", b"x", "200 OK", [], exc_info=None)
head_case("exc_info_text", ANY, "200 OK", [], "text")
head_case("exc_info_empty", ANY, "200 OK", [], (None, None, None))


@case(FAILS)
def started_twice(environ: Any, start_response: Any) -> Any:
    start(start_response)
    start(start_response)
    return [b"x"]


@case(CUT)
def restarted_after_bytes(environ: Any, start_response: Any) -> Any:
    start(start_response)(b"begun")
    try:
        raise ValueError
    except ValueError:
        start_response("500 No", [], sys.exc_info())
    return []


@case(CUT)
def bad_exc_info_after_bytes(environ: Any, start_response: Any) -> Any:
    start(start_response)(b"begun")
    start_response("500 No", [], ("not", "a", "type"))
    return []


@case(CUT)
def exc_info_of_nothing_after_bytes(environ: Any, start_response: Any) -> Any:
    start(start_response)(b"begun")
    start_response("500 No", [], (None, None, None))
    return []


@case(b"x")
def fields_changed_later(environ: Any, start_response: Any) -> Any:
    fields = [("A", "b")] * 100
    start_response("200 OK", fields)
    fields.clear()
    fields.append(None)  # type: ignore[arg-type]
    gc.collect()
    return [b"x"]


@case(b"x")
def fields_cleared_by_hash(environ: Any, start_response: Any) -> Any:
    fields: list[Any] = []

    class Clears(str):
        def __hash__(self) -> int:
            fields.clear()
            return 1

        def __eq__(self, other: object) -> bool:
            fields.clear()
            return False

    fields += [(Clears("A"), Clears("b"))] * 3
    try:
        start_response("200 OK", fields)
    except Exception:
        start_response("200 OK", [], None)
    return [b"x"]


KEPT: list[Any] = []


@case(b"x")
def everything_kept(environ: Any, start_response: Any) -> Any:
    for _ in range(200):
        KEPT.append((environ, start_response, environ["wsgi.input"]))
    KEPT.append(start(start_response))
    return [b"x"]


@case(b"x")
def what_was_kept_is_used(environ: Any, start_response: Any) -> Any:
    for one in KEPT:
        uses = (
            [lambda one=one: one(b"x")]
            if not isinstance(one, tuple)
            else [
                lambda one=one: one[1]("200 OK", []),
                one[2].read,
                lambda one=one: next(one[2]),
            ]
        )
        for use in uses:
            try:
                use()
            except (RuntimeError, StopIteration):
                pass
    KEPT.clear()
    start(start_response)
    return [b"x"]


@case(b"x")
def itself_in_a_cycle(environ: Any, start_response: Any) -> Any:
    environ["start_response"] = start_response
    environ["write"] = start(start_response)
    environ["environ"] = environ
    return Blocks(b"x")


def in_thread(function: Callable[[], Any]) -> Any:
    """What it returned or raised there."""
    results: queue.Queue[Any] = queue.Queue()

    def run() -> None:
        try:
            results.put(function())
        except BaseException as error:
            results.put(error)

    thread = threading.Thread(target=run)
    thread.start()
    result = results.get(timeout=30)
    thread.join(30)
    return result


@case(b"from elsewhere")
def all_in_another_thread(environ: Any, start_response: Any) -> Any:
    write = in_thread(lambda: start(start_response))
    assert in_thread(lambda: write(b"from ")) is None
    assert in_thread(lambda: write(b"elsewhere")) is None
    return []


@case(b"x" * 8)
def writers_at_once(environ: Any, start_response: Any) -> Any:
    write = start(start_response)
    gate = threading.Barrier(4)

    def run() -> None:
        gate.wait(30)
        for _ in range(2):
            write(b"x")

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return []


@case(CUT)
def write_wrong_things(environ: Any, start_response: Any) -> Any:
    write = start(start_response)
    for wrong in ("text", None, 5, bytearray(b"x"), memoryview(b"x"), [b"x"]):
        try:
            write(wrong)
        except TypeError:
            continue
        raise AssertionError(wrong)
    try:
        write()
    except TypeError:
        write(Evil(b"begun"))
        raise


@case(b"ab")
def write_while_it_iterates(environ: Any, start_response: Any) -> Any:
    write = start(start_response)
    write(b"a")
    yield b""
    yield b"b"


# wsgi.input ------------------------------------------------------------------

TEXT = b"one\ntwo\n\nthree"


class Index:
    def __init__(self, value: Any) -> None:
        self.value = value

    def __index__(self) -> int:
        if isinstance(self.value, int):
            return self.value
        number: int = self.value()
        return number


@case(b"x", TEXT)
def input_odd_arguments(environ: Any, start_response: Any) -> Any:
    source = environ["wsgi.input"]

    def fails() -> int:
        raise ZeroDivisionError

    odd: list[Any] = [1.5, "1", b"1", [], 1 << 80, Index("no")]
    for method in (source.read, source.readline, source.readlines):
        for wrong in odd:
            try:
                method(wrong)
            except (TypeError, OverflowError, ValueError):
                continue
            raise AssertionError((method, wrong))
        try:
            method(Index(fails))
        except ZeroDivisionError:
            continue
        raise AssertionError(method)
    assert source.read(0) == source.readline(0) == b""
    assert source.read(True) == b"o"
    assert source.read(Index(1)) == b"n"
    assert source.readline(Index(lambda: len(source.read(2)))) == b"tw"
    assert source.readline(-1) == b"o\n"
    assert source.readlines(1) == [b"\n"]
    assert source.read(1 << 62) == b"three"
    assert source.read() == source.readline() == b""
    assert source.readlines() == list(source) == []
    start(start_response)
    return [b"x"]


@case(b"".join(sorted(TEXT.splitlines(True))), TEXT)
def input_sorted(environ: Any, start_response: Any) -> Any:
    start(start_response)
    return sorted(environ["wsgi.input"])


@case(TEXT, TEXT)
def input_is_the_answer(environ: Any, start_response: Any) -> Any:
    start(start_response)
    return environ["wsgi.input"]


@case(TEXT, TEXT)
def input_is_the_file(environ: Any, start_response: Any) -> Any:
    start(start_response)
    return environ["wsgi.file_wrapper"](environ["wsgi.input"], 5)


@case(b"x", b"y" * 3_000_000)
def input_left_to_others(environ: Any, start_response: Any) -> Any:
    """A reader that is still at it when the answer is out."""
    source = environ["wsgi.input"]
    threading.Thread(target=lambda: sum(map(len, source)), daemon=True).start()
    start(start_response)
    return [b"x"]


threading.excepthook = lambda arguments: None


# environ --------------------------------------------------------------------


@case(b"x")
def environ_emptied(environ: Any, start_response: Any) -> Any:
    environ.clear()
    start(start_response)
    return [b"x"]


@case(b"x")
def environ_filled(environ: Any, start_response: Any) -> Any:
    for n in range(5000):
        environ[n] = environ
    environ["REQUEST_METHOD"] = None
    environ["wsgi.input"] = environ["wsgi.errors"] = None
    start(start_response)
    return [b"x"]


@case(b"x")
def environ_changed_after(environ: Any, start_response: Any) -> Any:
    def run() -> None:
        for n in range(20000):
            environ["later"] = n
            environ["PATH_INFO"] = "/spoilt"

    threading.Thread(target=run, daemon=True).start()
    start(start_response)
    return [b"x"]


@case(b"x")
def environ_is_clean(environ: Any, start_response: Any) -> Any:
    assert "later" not in environ, environ
    assert environ["PATH_INFO"] == "/environ_is_clean", environ
    assert 4 not in environ
    start(start_response)
    return [b"x"]


# Files ----------------------------------------------------------------------


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
file_case("zero", b"\0" * 100_000, lambda: open("/dev/zero", "rb"),
          length=100_000)
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


# The exchange ---------------------------------------------------------------


@dataclass
class Answer:
    status: int
    body: bytes
    whole: bool


class Client:
    """One connection at a time, kept while the server keeps it."""

    def __init__(self, address: Any, version: str) -> None:
        self.address = address
        self.version = version
        self.sock: socket.socket | None = None
        self.data = b""
        self.reset = False

    def ask(self, path: str, body: bytes = b"") -> Answer:
        if self.sock is None:
            self.sock = socket.create_connection(self.address, 20)
            self.data = b""
            self.reset = False
        head = "%s /%s HTTP/%s\r\nHost: a\r\n" % (
            "POST" if body else "GET", path, self.version,
        )
        if body:
            head += "Content-Length: %d\r\n" % len(body)
        message = head.encode() + b"\r\n" + body
        sender = threading.Thread(target=self._send, args=(message,))
        sender.start()
        try:
            return self._read()
        finally:
            sender.join()

    def _send(self, message: bytes) -> None:
        try:
            assert self.sock is not None
            self.sock.sendall(message)
        except OSError:
            pass

    def close(self) -> None:
        if self.sock is not None:
            self.sock.close()
            self.sock = None

    def _more(self) -> bool:
        assert self.sock is not None
        try:
            piece = self.sock.recv(1 << 18)
        except ConnectionResetError:
            self.reset = True
            return False
        self.data += piece
        return bool(piece)

    def _take(self, size: int) -> bytes:
        while len(self.data) < size and self._more():
            pass
        taken, self.data = self.data[:size], self.data[size:]
        return taken

    def _line(self) -> bytes:
        while b"\r\n" not in self.data and self._more():
            pass
        line, end, self.data = self.data.partition(b"\r\n")
        return line + end

    def _read(self) -> Answer:
        fields: dict[bytes, bytes] = {}
        status = 0
        while True:
            line = self._line()
            if not line.endswith(b"\r\n"):
                self.close()
                return Answer(status, line, False)
            if line == b"\r\n":
                break
            if not status:
                status = int(line.split()[1])
            name, _, value = line.strip().partition(b": ")
            fields[name.lower()] = value
        answer = self._body(status, fields)
        if not answer.whole or fields.get(b"connection") == b"close":
            self.close()
        return answer

    def _body(self, status: int, fields: dict[bytes, bytes]) -> Answer:
        if b"content-length" in fields:
            size = int(fields[b"content-length"])
            body = self._take(size)
            return Answer(status, body, len(body) == size)
        if b"transfer-encoding" in fields:
            body = b""
            while True:
                line = self._line()
                if not line.endswith(b"\r\n"):
                    return Answer(status, body + line, False)
                size = int(line, 16)
                block = self._take(size + 2)
                body += block[:-2]
                if len(block) < size + 2:
                    return Answer(status, body, False)
                if not size:
                    return Answer(status, body, True)
        while self._more():
            pass
        body, self.data = self.data, b""
        whole = not self.reset
        self.close()
        return Answer(status, body, whole)


def is_right(answer: Answer, expected: Any) -> bool:
    if expected == FAILS:
        return answer.status == 500 and answer.whole
    if expected == CUT:
        return not answer.whole
    if expected == ANY:
        return answer.status in (0, 200, 500)
    return (answer.status, answer.body, answer.whole) == (200, expected, True)


def app(environ: dict[str, Any], start_response: Any) -> Any:
    name = environ["PATH_INFO"][1:]
    if name == "other":
        start_response("200 OK", [("Content-Length", "5")])
        return [b"other"]
    return CASES[name][0](environ, start_response)


def all(threads: int, version: str = "1.1", *names: str) -> None:
    """Twice, since much is remembered from the first time."""
    wrong = []
    with Server(app, port=0, threads=threads) as server:
        for _ in range(2):
            client = Client(server.address, version)
            other = Client(server.address, "1.1")
            for name in names or CASES:
                expected, body = CASES[name][1:]
                answer = client.ask(name, body)
                if not is_right(answer, expected):
                    answer.body = answer.body[:60]
                    wrong.append("%s: %s, not %r" % (name, answer, expected))
                assert other.ask("other").body == b"other", name
            client.close()
            other.close()
        assert server.stats()["busy"] == 0
    assert not wrong, "\n".join(wrong)


if __name__ == "__main__":
    faulthandler.enable()
    signal.alarm(90)
    sys.setrecursionlimit(300)
    all(int(sys.argv[2]), *sys.argv[3:])
    print("fine", flush=True)

"""What an application returns."""

from __future__ import annotations

import collections
import functools
import gc
import io
import itertools
from collections.abc import Iterator
from typing import Any

from tests.native.cases.abuse.case import ANY, CUT, FAILS, case, returns, start


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

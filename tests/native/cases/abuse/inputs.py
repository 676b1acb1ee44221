"""wsgi.input."""

from __future__ import annotations

import threading
from typing import Any

from tests.native.cases.abuse.case import case, start

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

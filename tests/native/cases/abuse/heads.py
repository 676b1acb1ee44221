"""start_response() and write()."""

from __future__ import annotations

import gc
import queue
import sys
import threading
from typing import Any, Callable

from tests.native.cases.abuse.case import ANY, CASES, CUT, FAILS, case, start
from tests.native.cases.abuse.returned import Blocks, Evil


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
head_case(
    "other_lengths",
    FAILS,
    "200 OK",
    [("Content-Length", "1"), ("content-length", "2")],
)
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

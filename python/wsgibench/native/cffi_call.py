"""One request being answered: start_response, write, and the application's
result on its way out."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any, Optional

from wsgibench.native._cffi import ffi, lib
from wsgibench.native.cffi_errors import (
    log_exception,
    log_line,
    raise_code,
)
from wsgibench.native.cffi_file_wrapper import FileWrapper, file_behind
from wsgibench.native.cffi_input import Input

GONE = lib.WB_GONE
FULL = lib.WB_FULL
COMPLETE = lib.WB_COMPLETE
#: Blocks of one iterable before other requests get their turn.
BURST = 16

NOT_STARTED = (
    "the application did not call start_response before its first body byte"
)
SHORT = (
    "the body is shorter than its Content-Length; the connection was closed"
)

ExcInfo = tuple[type[BaseException], BaseException, Optional[TracebackType]]


#: Larger blocks are kept by reference while a client is slow.
COPIED = 16384
NULL = ffi.NULL


class Head:
    """A wb_head (``.given``) and the memory it points to."""

    __slots__ = ("_lines", "_status", "given")

    def __init__(self, status: bytes, lines: bytes, count: int) -> None:
        self._status = ffi.from_buffer(status)
        self._lines = ffi.from_buffer(lines)
        self.given = ffi.new("wb_head *")
        self.given.status = self._status
        self.given.status_size = len(status)
        self.given.lines = self._lines
        self.given.lines_size = len(lines)
        self.given.count = count


def encode_head(status: Any, headers: Any) -> Head:
    """Status, then name NUL value NUL ..., as the core wants them."""
    if type(status) is not str and not isinstance(status, str):
        raise TypeError("the status must be a str, not %r" % type(status))
    if not isinstance(headers, list):
        raise TypeError(
            "response headers must be a list, not %r" % type(headers)
        )
    parts = []
    for item in headers:
        if not isinstance(item, tuple) or len(item) != 2:
            raise TypeError("response headers must be (name, value) tuples")
        name, value = item
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError("header names and values must be str")
        parts.append(name)
        parts.append(value)
    parts.append("")
    return Head(
        status.encode("latin-1"),
        "\0".join(parts).encode("latin-1"),
        len(headers),
    )


class Call:
    """The start_response that the application gets."""

    __slots__ = (
        "head",
        "head_given",
        "input",
        "iterator",
        "request",
        "result",
        "sending_file",
        "server",
        "started",
        "wrote",
    )

    def __init__(self, server: Any, request: Any) -> None:
        self.server = server
        self.request = request
        self.input: Input | None = None
        self.result: Any = None
        self.iterator: Iterator[Any] | None = None
        self.started = False
        self.head_given = False
        self.wrote = False
        self.sending_file = False
        self.head: Head | None = None

    # For the application ------------------------------------------------

    def __call__(
        self,
        status: str,
        response_headers: list[tuple[str, str]],
        exc_info: ExcInfo | None = None,
    ) -> Any:
        request = self.request
        if request is None:
            raise RuntimeError(
                "start_response called after the response was over"
            )
        if exc_info is not None:
            try:
                if request.head_sent:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None
        elif self.started:
            raise AssertionError(
                "start_response called again without exc_info"
            )
        self.started = False
        self.head = self.server.encode(status, response_headers)
        self.started = True
        self.head_given = False
        return self.write

    def write(self, data: bytes) -> None:
        if not isinstance(data, bytes):
            raise TypeError("write() takes one bytes object")
        if self.request is None:
            raise RuntimeError("write called after the response was over")
        self.wrote = True
        if not data:
            return
        if not self.head_given:
            self._give_head(-1)
        result = self._send(data)
        if result == FULL:
            result = self._wait()
        if result < 0:
            raise_code(result)

    # Endings --------------------------------------------------------------

    def _wait(self) -> int:
        result: int = lib.WB_AGAIN
        while result == lib.WB_AGAIN:
            result = lib.wb_request_wait(self.request, 0, 200)
        return result

    def _give_head(self, length: int) -> int:
        assert self.head is not None
        result: int = lib.wb_request_head(
            self.request, self.head.given, length
        )
        if result < 0:
            raise_code(result)
        self.head_given = True
        return result

    def _send(self, block: bytes) -> int:
        result: int
        if len(block) <= COPIED:
            result = lib.wb_request_write(
                self.request, block, len(block), NULL
            )
        else:
            data, owner = self.server.keep(block)
            result = lib.wb_request_write(
                self.request, data, len(block), owner
            )
            self.server.kept(owner)
        return result

    def _end(self) -> None:
        """The request has been ended; now the application's side."""
        self.request = None
        if self.input is not None:
            self.input.detach()
        result = self.result
        self.result = self.iterator = None
        if type(result) is list or type(result) is tuple:
            return
        try:
            close = getattr(result, "close", None)
            if close is not None:
                close()
        except BaseException:
            log_exception(self.server.errors)

    def fail(self) -> None:
        """The application raised, or did what it must not."""
        log_exception(self.server.errors)
        request = self.request
        if self.input is not None:
            self.input.detach()
        lib.wb_request_error(request, 500)  # or abort, if the head is out
        self._end()

    def _finish(self) -> None:
        try:
            if not self.started:
                raise AssertionError(NOT_STARTED)
            if not self.head_given:
                self._give_head(-1)
        except BaseException:
            self.fail()
            return
        result = lib.wb_request_finish(self.request)
        if result == lib.WB_STATE:
            log_line(self.server.errors, SHORT)
        self._end()

    def _lose_client(self) -> None:
        lib.wb_request_abort(self.request)
        self._end()

    # The application's result -----------------------------------------------

    def answer(self, result: Any) -> None:
        self.result = result
        if (
            (type(result) is list or type(result) is tuple)
            and len(result) == 1
            and type(result[0]) is bytes
            and self.started
            and not self.wrote
        ):
            self._respond(result[0])
            return
        try:
            if type(result) is FileWrapper and self._send_file(result):
                return
            self.iterator = iter(result)
            length = self._known_length(result)
        except BaseException:
            self.fail()
            return
        self._iterate(length)

    def _respond(self, body: bytes) -> None:
        assert self.head is not None
        given = self.head.given
        if len(body) <= COPIED:
            code = lib.wb_request_respond(
                self.request, given, body, len(body), NULL
            )
        else:
            data, owner = self.server.keep(body)
            code = lib.wb_request_respond(
                self.request, given, data, len(body), owner
            )
            self.server.kept(owner)
        if code == 0:
            self.request = None
            if self.input is not None:
                self.input.detach()
            return
        if code == lib.WB_INVALID or code == lib.WB_NOMEM:
            try:
                raise_code(code)
            except BaseException:
                self.fail()
            return
        if code == lib.WB_STATE:
            log_line(self.server.errors, SHORT)
        self._end()

    def _known_length(self, result: Any) -> int:
        if self.wrote or type(result) not in (list, tuple):
            return -1
        if not all(isinstance(block, bytes) for block in result):
            return -1
        return sum(map(len, result))

    def _send_file(self, wrapper: FileWrapper) -> bool:
        found = file_behind(wrapper) if self.started else None
        if found is None or self.wrote:
            return False
        fd, offset, size = found
        sent = self._give_head(size)
        if sent == 0 and size > 0:
            sent = lib.wb_request_file(self.request, fd, offset, size)
        self.sending_file = True
        if sent == FULL:
            if not self.server.threaded:
                self.server.suspend(self)
                return True
            sent = self._wait()
        if sent < 0:
            self._lose_client()
        else:
            self._finish()
        return True

    def go_on(self) -> None:
        if self.sending_file:
            self._finish()
        else:
            self._iterate(-1)

    def _send_block(self, block: Any, length: int) -> int:
        if not isinstance(block, bytes):
            raise TypeError(
                "the application must yield bytes, not %r" % type(block)
            )
        if not block:
            return 0  # the head stays changeable until there is a byte
        if not self.started:
            raise AssertionError(NOT_STARTED)
        if not self.head_given:
            given = self._give_head(length)
            if given:
                return given
        return self._send(block)

    def _iterate(self, length: int) -> None:
        server = self.server
        iterator = self.iterator
        assert iterator is not None
        burst = BURST
        while burst or server.threaded:
            burst -= 1
            try:
                block = next(iterator)
                result = self._send_block(block, length)
            except StopIteration:
                self._finish()
                return
            except BaseException:
                self.fail()
                return
            if result == FULL:
                if not server.threaded:
                    server.suspend(self)  # WB_RESUME brings it back
                    return
                result = self._wait()
            if result == COMPLETE:
                self._finish()
                return
            if result < 0:
                self._lose_client()
                return
        server.put_aside(self)

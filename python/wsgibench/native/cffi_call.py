"""One request being answered: start_response, write, and the application's
result on its way out.

A call is live until the core has its answer, or has given it up, and the
application's close() has run; then it knows no request any more, whoever
still holds it. Calls that wait - for their client, or for their turn - are the
server's (``CoreServer.waiting``).

Other threads of the application may come to the core, too: through wsgi.input
and write(). They hold the request (``Call.hold``) for as long as they use it.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Optional

from wsgibench.native._cffi import ffi, lib
from wsgibench.native.cffi_errors import (
    log_exception,
    log_line,
    raise_again,
    raise_code,
    raise_head,
)
from wsgibench.native.cffi_file_wrapper import FileWrapper, file_behind
from wsgibench.native.cffi_head import Head
from wsgibench.native.cffi_input import Input

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
OVER = "%s after the response was over"
SENDING = "write called while the response's iterable is sent"
#: What the application raises to end the server, not its request.
LEAVING = (KeyboardInterrupt, SystemExit)

ExcInfo = tuple[type[BaseException], BaseException, Optional[TracebackType]]


#: Larger blocks are kept by reference while a client is slow.
COPIED = 16384
#: Bytes that mostly come after a request for another protocol: none.
EARLY = 4096
NULL = ffi.NULL


def plain(block: bytes) -> bytes:
    """The methods of a subclass are not to be trusted."""
    return block if type(block) is bytes else b"".join((block, b""))


_disowned: list[Call] = []


class Call:
    """The start_response that the application gets."""

    __slots__ = (
        "detached",
        "head",
        "head_given",
        "held",
        "in_app",
        "input",
        "iterator",
        "outer",
        "request",
        "result",
        "sending_file",
        "server",
        "started",
        "waits_in",
        "wrote",
    )

    def __init__(self, server: Any, request: Any) -> None:
        self.server = server  # None when it is not served in a thread
        #: Then that server, if the call waits: what the application keeps of
        #: a call keeps no server alive.
        self.waits_in: Callable[[], Any] | None = None
        self.request = request  # None: over
        self.held: Any = None  # the request, if this call holds it
        self.outer: Call | None = None  # whose application turned the loop
        self.in_app = False  # application code runs
        self.input: Input | None = None
        self.result: Any = None
        self.iterator: Iterator[Any] | None = None
        self.started = False
        self.detached = False  # what is answered goes nowhere
        self.head_given = False
        self.wrote = False
        self.sending_file = False
        self.head: Head | None = None

    # While it is served in this thread ------------------------------------

    def __enter__(self) -> None:
        server = self.server
        if not server.threaded:
            self.outer = server.current
            server.current = self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        server = self.server
        if not server.threaded:
            server.current = self.outer
            self.outer = None
        if error is not None:
            self.abandon()  # wherever it came from: a signal, say
        if self.request is not None and self.waits_in is None:
            self.waits_in = weakref.ref(server)
        self.server = None

    # For the application ------------------------------------------------

    def __call__(
        self,
        status: str,
        response_headers: list[tuple[str, str]],
        /,
        exc_info: ExcInfo | None = None,
    ) -> Any:
        request = self.request
        if request is None:
            raise RuntimeError(OVER % "start_response called")
        if exc_info is not None:
            try:
                if request.head_sent:
                    raise_again(exc_info)
            finally:
                exc_info = None
        elif self.started and not self.detached:
            raise AssertionError(
                "start_response called again without exc_info"
            )
        self.started = False
        head = self._its_server(OVER % "start_response called").encode(
            status, response_headers
        )
        self.head = head
        self.started = True
        self.head_given = False
        return self.write

    def write(self, data: bytes, /) -> None:
        if not isinstance(data, bytes):
            raise TypeError("write() takes one bytes object")
        data = plain(data)
        request = self.hold(OVER % "write called", writing=True)
        try:
            self.wrote = True
            if not data:
                return
            if not self.head_given:
                with self._its_server(OVER % "write called").gate:
                    if not self.head_given:  # by another thread
                        self._give_head(request, -1)
            result = self._send(request, data)
            if result == FULL:
                result = self._wait(request)
            if result < 0:
                raise_code(result)
        finally:
            lib.wb_request_release(request)

    # Other threads --------------------------------------------------------

    def hold(self, over: str, writing: bool = False) -> Any:
        """The request, to be released after use: valid whatever the call's
        own thread does meanwhile. RuntimeError if the call is over."""
        server = self._its_server(over)
        with server.gate:
            server.holders += 1
            try:
                request = self.request
                if request is None:
                    raise RuntimeError(over)
                if writing and not self.in_app:
                    raise RuntimeError(SENDING)
                lib.wb_request_hold(request)
            finally:
                server.holders -= 1
        return request

    def _its_server(self, over: str) -> Any:
        server = self.server
        if server is None and self.waits_in is not None:
            server = self.waits_in()
        if server is None:
            raise RuntimeError(over)
        return server

    def hold_until_the_end(self) -> None:
        """By the call's own thread, before it lets others into the core."""
        if self.held is None and self.request is not None:
            lib.wb_request_hold(self.request)
            self.held = self.request

    def _back(self) -> None:
        """The application has returned. No other thread begins to hold the
        request from here on, for the core does not lock before the first has;
        unless it is held already."""
        self.in_app = False
        if self.server.holders:
            with self.server.gate:
                pass

    def take(self) -> Any:
        """The request, to be ended: the call no longer has it."""
        request, self.request = self.request, None
        if self.server.holders:
            with self.server.gate:
                pass
        return request

    def detach(self) -> tuple[int, bytes]:
        """The connection is the application's: its descriptor, and bytes
        that came after the request."""
        if self.request is None:
            raise RuntimeError(
                "the connection is taken over while its request is served, "
                "or never"
            )
        size = ffi.new("size_t *", EARLY)
        fd = lib.WB_INVALID
        while fd == lib.WB_INVALID:
            room = ffi.new("char[]", size[0])
            fd = lib.wb_request_detach(self.request, room, size[0], size)
        if fd < 0:
            raise_code(fd)
        # As if the answer had begun.
        self.started = self.head_given = self.wrote = self.detached = True
        return fd, ffi.buffer(room, size[0])[:]

    # Endings --------------------------------------------------------------

    def _wait(self, request: Any) -> int:
        result: int = lib.WB_AGAIN
        while result == lib.WB_AGAIN:
            result = lib.wb_request_wait(request, 0, 200)
        return result

    def _give_head(self, request: Any, length: int) -> int:
        assert self.head is not None
        result: int = lib.wb_request_head(request, self.head.given, length)
        if result < 0:
            raise_head(result, self.head.given)
        self.head_given = True
        return result

    def _send(self, request: Any, block: bytes) -> int:
        result: int
        if len(block) <= COPIED:
            result = lib.wb_request_write(request, block, len(block), NULL)
        else:
            data, owner = self.server.keep(block)
            result = lib.wb_request_write(request, data, len(block), owner)
            self.server.kept(owner)
        return result

    def end(self) -> None:
        """The request has been ended; now the application's side."""
        self.request = None
        if self.input is not None:
            self.input.detach()
        held, self.held = self.held, None
        if held is not None:
            lib.wb_request_release(held)
        result = self.result
        self.result = self.iterator = None
        if type(result) is list or type(result) is tuple:
            return
        try:
            close = getattr(result, "close", None)
            if close is not None:
                close()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            log_exception(self.server.errors)
            if isinstance(error, SystemExit):
                raise

    def disown(self) -> None:
        """In a forked child, of a call that is its parent's: over for whoever
        holds it, but nothing of it is closed or dropped here."""
        self.request = None
        if self.input is not None:
            self.input.detach()
        _disowned.append(self)

    def fail(self) -> None:
        """In an except clause: the application raised, or did what it must
        not. Raises again what has to leave the server."""
        error = sys.exc_info()[1]
        self._back()
        try:
            if not isinstance(error, KeyboardInterrupt):
                log_exception(self.server.errors, self.request)
        finally:
            request = self.take()
            if request is not None:  # or abort, if the head is out
                lib.wb_request_error(request, 500)
            self.end()
        if isinstance(error, LEAVING):
            raise error

    def abandon(self) -> None:
        """Whatever has happened to it: it is ended."""
        request = self.take()
        if request is not None:
            lib.wb_request_abort(request)
        self.end()

    def _finish(self) -> None:
        try:
            if not self.started:
                raise AssertionError(NOT_STARTED)
            if not self.head_given:
                self._give_head(self.request, -1)
        except BaseException:
            self.fail()
            return
        if lib.wb_request_finish(self.take()) == lib.WB_STATE:
            log_line(self.server.errors, SHORT)
        self.end()

    def _lose_client(self) -> None:
        lib.wb_request_abort(self.take())
        self.end()

    # The application's result -----------------------------------------------

    def serve(self, environ: dict[str, Any]) -> None:
        self.in_app = True
        try:
            result = self.server.app(environ, self)
        except BaseException:
            self.fail()
            return
        self._back()
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
        request = self.take()
        if len(body) <= COPIED:
            code = lib.wb_request_respond(
                request, given, body, len(body), NULL
            )
        else:
            data, owner = self.server.keep(body)
            code = lib.wb_request_respond(
                request, given, data, len(body), owner
            )
            self.server.kept(owner)
        if code == 0:
            if self.input is not None:
                self.end()
            return
        if code == lib.WB_INVALID or code == lib.WB_NOMEM:
            self.request = request
            try:
                raise_head(code, self.head.given)
            except BaseException:
                self.fail()
            return
        if code == lib.WB_STATE:
            log_line(self.server.errors, SHORT)
        self.end()

    def _known_length(self, result: Any) -> int:
        if self.wrote or type(result) not in (list, tuple):
            return -1
        if not all(isinstance(block, bytes) for block in result):
            return -1
        return sum(map(bytes.__len__, result))

    def _send_file(self, wrapper: FileWrapper) -> bool:
        found = file_behind(wrapper) if self.started else None
        if found is None or self.wrote:
            return False
        fd, offset, size = found
        sent = self._give_head(self.request, size)
        if sent == 0:
            sent = lib.wb_request_file(self.request, fd, offset, size)
        self.sending_file = True
        if sent == FULL:
            if not self.server.threaded:
                self.server.suspend(self)
                return True
            sent = self._wait(self.request)
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
        block = plain(block)
        if not block:
            return 0  # the head stays changeable until there is a byte
        if not self.started:
            raise AssertionError(NOT_STARTED)
        if not self.head_given:
            given = self._give_head(self.request, length)
            if given:
                return given
        return self._send(self.request, block)

    def _finish_iteration(self, iterator: Iterator[Any]) -> None:
        """All that was announced is out. What the application does after its
        last block is done, too; a further block is dropped. Nothing was sent
        to a HEAD: its body is not produced."""
        request = self.request
        assert request is not None
        try:
            if request.head_sent:
                self.in_app = True
                next(iterator, None)
                self._back()
        except LEAVING:
            self.fail()
            return
        except BaseException:
            self._back()
            log_exception(self.server.errors, request)
        self._finish()

    def _iterate(self, length: int) -> None:
        server = self.server
        iterator = self.iterator
        assert iterator is not None
        burst = BURST
        while burst or server.threaded:
            burst -= 1
            try:
                self.in_app = True
                block = next(iterator)
                self._back()
                result = self._send_block(block, length)
            except StopIteration:
                self._back()
                self._finish()
                return
            except BaseException:
                self.fail()
                return
            if result == FULL:
                if not server.threaded:
                    server.suspend(self)  # WB_RESUME brings it back
                    return
                result = self._wait(self.request)
            if result == COMPLETE:
                self._finish_iteration(iterator)
                return
            if result < 0:
                self._lose_client()
                return
            if server.stopping:
                # While the client takes all that comes at once, whoever else
                # turns the loop may never get its lock, and has to end what
                # is not over in time.
                server.poll()
        server.put_aside(self)

"""KeyboardInterrupt and SystemExit leave the server; nothing else does."""

from __future__ import annotations

import functools
import io
import os
import signal
import sys
import time
from typing import Any, Callable

from tests.native.cases.kit import (
    Body,
    Serving,
    cases_of,
    connect,
    main,
    receive,
    text,
    until,
)
from wsgibench import Server

LEAVING = (KeyboardInterrupt, SystemExit)


class Ends(Body):
    def __next__(self) -> bytes:
        raise StopIteration


def in_call(error: BaseException) -> Any:
    raise error


def in_generator(error: BaseException) -> Any:
    yield b"begun"
    raise error


def in_late_block(error: BaseException) -> Any:
    for _ in range(100):
        yield b"x"
    raise error


def in_close(error: BaseException) -> Any:
    class Raises(Ends):
        def close(self) -> None:
            raise error

    return Raises()


def in_iter(error: BaseException) -> Any:
    class Raises:
        def __iter__(self) -> Any:
            raise error

    return Raises()


WHERE: dict[str, Callable[[BaseException], Any]] = {
    "call": in_call,
    "generator": in_generator,
    "late": in_late_block,
    "close": in_close,
    "iter": in_iter,
}


def serve_until(server: Server, kind: type[BaseException]) -> BaseException:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            server.turn(0.1)
        except kind as error:
            return error
    raise AssertionError("it did not leave turn()")


def out_of_turn(threads: int) -> None:
    """The client gets its end; others are served by the next turn()."""
    for kind in LEAVING:
        for name, raises in WHERE.items():
            error = kind(7)

            def app(
                environ: Any,
                start_response: Any,
                raises: Any = raises,
                error: Any = error,
            ) -> Any:
                if environ["PATH_INFO"] == "/other":
                    return text(start_response, b"other")
                start_response("200 OK", [])
                return raises(error)

            serving = Serving(app, 0)
            other = connect(
                serving.server, b"GET /other HTTP/1.1\r\nHost: a\r\n\r\n"
            )
            with connect(serving.server) as client:
                assert serve_until(serving.server, kind) is error
                for _ in range(5):
                    serving.server.turn(0.01)
                client.settimeout(60)
                if name == "close":  # it has its answer by then
                    assert b" 200 OK" in client.recv(1 << 16)
                else:
                    assert b"\r\n0\r\n" not in receive(client), name
            assert serving.ask(
                b"GET /other HTTP/1.1\r\nHost: a\r\n\r\n"
            ).endswith(b"other")
            assert other.recv(1000).endswith(b"other")
            other.close()
            serving.server.close()


def by_signal(threads: int) -> None:
    """SIGINT while the application runs, iterates or is waited for."""

    def app(environ: Any, start_response: Any) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            pass
        raise AssertionError("it was not interrupted")

    serving = Serving(app, 0)
    with connect(serving.server) as client:
        serve_until(serving.server, KeyboardInterrupt)
        assert b" 500 " in receive(client)
    serving.server.close()


def while_suspended(threads: int) -> None:
    """Calls that wait are still there for the next turn()."""
    bodies: list[Body] = []

    def app(environ: Any, start_response: Any) -> Any:
        if environ["PATH_INFO"] == "/exit":
            sys.exit(3)
        start_response("200 OK", [])
        bodies.append(Body(b"x"))
        return bodies[-1]

    serving = Serving(app, 0)
    clients = [connect(serving.server) for _ in range(3)]
    serving.until(lambda: len(bodies) == 3)
    with connect(
        serving.server, b"GET /exit HTTP/1.1\r\nHost: a\r\n\r\n"
    ) as client:
        serve_until(serving.server, SystemExit)
        assert b" 500 " in receive(client)
    counts = [0, 0, 0]
    for number, body in enumerate(bodies):

        def count(number: int = number) -> None:
            counts[number] += 1

        body.on_block = count
    serving.until(lambda: min(counts) > 100)
    serving.server.close()
    assert [body.closed for body in bodies] == [1, 1, 1]
    for each in clients:
        each.close()


def has_traceback(stream: io.StringIO) -> bool:
    return "Traceback" in stream.getvalue()


def other_exceptions(threads: int) -> None:
    """Whatever else is not an Exception is its request's failure: what
    gevent's GreenletExit and eventlet's Timeout are."""

    class Timeout(BaseException):
        pass

    kinds = [Timeout, GeneratorExit, BaseException]
    for kind in kinds:
        for raises in WHERE.values():

            def app(
                environ: Any,
                start_response: Any,
                raises: Any = raises,
                kind: Any = kind,
            ) -> Any:
                if environ["PATH_INFO"] == "/other":
                    return text(start_response, b"other")
                start_response("200 OK", [])
                return raises(kind())

            said = sys.stderr = io.StringIO()
            serving = Serving(app, threads)
            with connect(serving.server) as client:
                serving.until(functools.partial(has_traceback, said))
                client.settimeout(60)
                assert client.recv(1 << 16)
            assert serving.ask(
                b"GET /other HTTP/1.1\r\nHost: a\r\n\r\n"
            ).endswith(b"other")
            serving.server.close()
            sys.stderr = sys.__stderr__


def in_background(threads: int) -> None:
    """A server in threads of its own ends, and says so; nobody waits in its
    queue."""

    def app(environ: Any, start_response: Any) -> Any:
        sys.exit(3)

    with Server(app, port=0, threads=threads) as server:
        with connect(server) as client:
            assert b" 500 " in receive(client)
        until(lambda: server.core.stopped)

        def refused() -> bool:
            try:
                connect(server).close()
            except OSError:
                return True
            return False

        until(refused)


CASES = cases_of(globals())
LOOP_ONLY = {"out_of_turn", "by_signal", "while_suspended"}

if __name__ == "__main__":
    main(CASES)

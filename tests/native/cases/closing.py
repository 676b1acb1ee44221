"""Every way to close a server at a bad moment."""

from __future__ import annotations

import io
import os
import signal
import socket
import sys
import threading
import weakref
from typing import Any

from tests.native.cases.kit import (
    REQUEST,
    Body,
    Serving,
    cases_of,
    collect,
    collected,
    connect,
    main,
    one_answer,
    raises,
    receive,
    text,
    turn_until,
    until,
)
from wsgibench import Server


def refuses(server: Server) -> bool:
    try:
        socket.create_connection(server.address[:2], 1).close()
    except OSError:
        return True
    return False


def ended(serving: Serving) -> None:
    """The server has closed, for whoever looks."""
    serving.until(lambda: serving.server.core.stopped)
    until(lambda: refuses(serving.server), "the port is free")


def suspend(server: Server) -> None:
    """Turns until its only call waits for its client."""
    turn_until(server, lambda: server.stats()["busy"] == 1)
    for _ in range(20):
        server.turn(0.01)


class Empty(Body):
    def __next__(self) -> bytes:
        raise StopIteration


def in_application(threads: int) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        serving.server.close()
        serving.server.close()
        return text(start_response, b"bye")

    serving = Serving(app, threads)
    with connect(serving.server) as client:
        ended(serving)
        assert one_answer(client).endswith(b"bye")


def in_iterable(threads: int) -> None:
    body = Body(b"a")
    body.on_block = lambda: serving.server.close()

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return body

    serving = Serving(app, threads)
    with connect(serving.server) as client:
        ended(serving)
        assert b"\r\n0\r\n\r\n" not in receive(client)
    until(lambda: body.closed == 1)


def in_generator(threads: int) -> None:
    over: list[str] = []

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        try:
            yield b"one"
            serving.server.close()
            yield b"two"
            while True:
                yield b"three"
        finally:
            over.append("closed")

    serving = Serving(app, threads)
    with connect(serving.server) as client:
        ended(serving)
        receive(client)
    until(lambda: over == ["closed"])


def in_close(threads: int) -> None:
    class Closes(Empty):
        def close(self) -> None:
            super().close()
            serving.server.close()

    body = Closes()

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return body

    serving = Serving(app, threads)
    with connect(serving.server) as client:
        ended(serving)
        assert receive(client).startswith(b"HTTP/1.1 200")
    assert body.closed == 1


def stop_in_application(threads: int) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        serving.server.stop(5)
        return text(start_response, b"bye")

    serving = Serving(app, threads)
    with connect(serving.server) as client:
        ended(serving)
        assert one_answer(client).endswith(b"bye")
    serving.server.stop(0)
    serving.server.close()


def by_helper(threads: int) -> None:
    """The application waits for a thread that closes the server."""

    def app(environ: Any, start_response: Any) -> Any:
        helper = threading.Thread(target=serving.server.close)
        helper.start()
        helper.join()
        came_back.append(1)
        return text(start_response, b"bye")

    came_back: list[int] = []
    serving = Serving(app, threads)
    with connect(serving.server) as client:
        ended(serving)
        # In threads, the server may have given up the client by then.
        assert threads or one_answer(client).endswith(b"bye")
        receive(client)
    until(lambda: came_back)


def by_other_thread_while_it_sleeps(threads: int) -> None:
    """A thread closes it while another waits in turn() or in its loop."""
    serving = Serving(lambda e, s: text(s, b"x"), threads)
    assert serving.ask().endswith(b"x")
    if threads:
        serving.server.close()
    else:
        timer = threading.Timer(0.2, serving.server.close)
        timer.start()
        while serving.server.turn(None) >= 0:
            pass
        timer.join()
    ended(serving)


def suspended(threads: int) -> None:
    """While iterables wait for slow clients, or for their turn."""
    bodies: list[Body] = []

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        small = environ["PATH_INFO"] == "/small"
        bodies.append(Body(b"x" if small else b"x" * 100_000))
        return bodies[-1]

    serving = Serving(app, threads)
    slow = connect(serving.server)
    small = connect(serving.server, b"GET /small HTTP/1.1\r\nHost: a\r\n\r\n")
    serving.until(lambda: len(bodies) == 2)
    if not threads:
        for _ in range(20):
            serving.server.turn(0.01)
    serving.server.close()
    until(lambda: [body.closed for body in bodies] == [1, 1])
    ended(serving)
    slow.close()
    small.close()


def forgotten_while_suspended(threads: int) -> None:
    """`del server`: all is freed, and close() was called."""
    body = Body()

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        environ["start_response"] = start_response  # a cycle
        return body

    server = Server(app, port=0)
    client = connect(server)
    suspend(server)
    del server
    until(lambda: collect() and body.closed == 1)
    client.close()


def everything_is_freed(threads: int) -> None:
    """A cycle through the server, its application and a suspended call."""

    class App:
        def __call__(self, environ: Any, start_response: Any) -> Any:
            start_response("200 OK", [])
            self.body = Noting()
            self.start_response = start_response
            self.environ = environ
            self.body.app = self  # type: ignore[attr-defined]
            return self.body

    closed: list[int] = []

    class Noting(Body):
        def close(self) -> None:
            closed.append(1)

    app = App()
    server = Server(app, port=0)
    app.server = server  # type: ignore[attr-defined]
    client = connect(server)
    suspend(server)
    listener = server.socket
    found = weakref.ref(app), weakref.ref(server)
    del app, server
    until(lambda: all(collected(reference) for reference in found))
    assert closed == [1]
    listener.close()
    client.close()


def kept_by_others(threads: int) -> None:
    """What somebody keeps of a call that waits, or of one that is over,
    keeps no server."""
    kept: list[Any] = []
    body = Body()

    def app(environ: Any, start_response: Any) -> Any:
        write = start_response("200 OK", [])
        kept.extend((start_response, write, environ))
        return [b"x"] if environ["PATH_INFO"] == "/short" else body

    server = Server(app, port=0)
    short = connect(server, b"GET /short HTTP/1.1\r\nHost: a\r\n\r\n")
    client = connect(server)
    while len(kept) < 6:
        server.turn(0.1)
    suspend(server)
    del server
    until(lambda: collect() and body.closed == 1)
    for start_response, write in (kept[:2], kept[3:5]):
        with raises(RuntimeError, "over"):
            start_response("200 OK", [])
        with raises(RuntimeError, "over"):
            write(b"x")
    short.close()
    client.close()


def twice(threads: int) -> None:
    serving = Serving(lambda e, s: text(s, b"x"), threads)
    assert serving.ask().endswith(b"x")
    for _ in range(2):
        serving.server.stop(1)
        serving.server.close()
    ended(serving)
    for method in (serving.server.turn, serving.server.stats):
        with raises(ValueError, "closed"):
            method()


def never_started(threads: int) -> None:
    server = Server(lambda e, s: text(s, b"x"), port=0, threads=threads)
    server.close()
    Server(lambda e, s: text(s, b"x"), port=0, threads=threads).stop(0)


def while_it_starts(threads: int) -> None:
    """Threads that come too late end, and complain of nothing."""
    said = sys.stderr = io.StringIO()
    for _ in range(30):
        server = Server(lambda e, s: text(s, b"x"), port=0, threads=threads)
        server.start()
        server.close()
    until(lambda: threading.active_count() == 1)
    assert said.getvalue() == ""


def in_signal_handler(threads: int) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return body

    body = Body()
    serving = Serving(app, threads)
    signal.signal(signal.SIGUSR1, lambda n, f: serving.server.close())
    with connect(serving.server) as client:
        serving.until(lambda: serving.server.stats()["busy"] == 1)
        os.kill(os.getpid(), signal.SIGUSR1)
        ended(serving)
        receive(client)
    until(lambda: body.closed == 1)


def in_signal_handler_in_application(threads: int) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        os.kill(os.getpid(), signal.SIGUSR1)
        return text(start_response, b"bye")

    serving = Serving(app, threads)
    signal.signal(signal.SIGUSR1, lambda n, f: serving.server.close())
    with connect(serving.server) as client:
        ended(serving)
        assert one_answer(client).endswith(b"bye")


def by_finalizer(threads: int) -> None:
    """By __del__ and by a weakref's callback, in and after the call."""

    class Closes:
        def __del__(self) -> None:
            serving.server.close()

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        body = Empty()
        body.closes = Closes()  # type: ignore[attr-defined]
        references.append(weakref.ref(body, lambda _: serving.server.close()))
        return body

    references: list[Any] = []
    serving = Serving(app, threads)
    with connect(serving.server) as client:
        assert receive_or_turn(serving, client)
        serving.until(lambda: collect() and serving.server.core.stopped)
        ended(serving)


def receive_or_turn(serving: Serving, client: socket.socket) -> bytes:
    data: list[bytes] = []
    thread = threading.Thread(target=lambda: data.append(client.recv(100)))
    thread.start()
    serving.until(lambda: data or not collect())
    thread.join()
    return data[0]


def turned_by_two_threads(threads: int) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def app(environ: Any, start_response: Any) -> Any:
        inside.set()
        assert go_on.wait(30)
        return text(start_response, b"x")

    server = Server(app, port=0)
    turns: list[int] = []
    with connect(server) as client:

        def turn() -> None:
            while not inside.is_set():
                turns.append(server.turn(0.1))

        other = threading.Thread(target=turn)
        other.start()
        assert inside.wait(30)
        with raises(RuntimeError, "another thread"):
            server.turn(0)
        server.close()
        go_on.set()
        other.join()
        assert one_answer(client).endswith(b"x")
    assert turns[-1] == -1


def nested(threads: int) -> None:
    """An application that turns its own server, in which one closes it."""
    depth: list[int] = []

    def app(environ: Any, start_response: Any) -> Any:
        depth.append(1)
        if len(depth) == 1:
            while len(depth) < 2:
                assert server.turn(0.1) >= -1
        else:
            server.close()
        return text(start_response, b"bye")

    server = Server(app, port=0)
    clients = [connect(server), connect(server)]
    while server.core.stopped is False:
        if server.turn(0.1) < 0:
            break
    for client in clients:
        assert one_answer(client).endswith(b"bye")
        client.close()


def turned_in_close(threads: int) -> None:
    """close() of an iterable turns the loop, in which others end."""
    depth: list[int] = []

    class Turns(Empty):
        def close(self) -> None:
            depth.append(1)
            if len(depth) < 4:
                server.turn(0.1)

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return Turns()

    server = Server(app, port=0)
    clients = [connect(server) for _ in range(5)]
    turn_until(server, lambda: len(depth) == 5)
    server.close()
    for client in clients:
        assert receive(client).startswith(b"HTTP/1.1 200")
        client.close()


def by_the_log(threads: int) -> None:
    """By the stream that a failure is written to."""

    class Closes(io.StringIO):
        def write(self, what: str) -> int:
            serving.server.close()
            return len(what)

    def app(environ: Any, start_response: Any) -> Any:
        raise ValueError("for the log")

    sys.stderr = Closes()
    serving = Serving(app, threads)
    sys.stderr = sys.__stderr__
    with connect(serving.server) as client:
        ended(serving)
        assert b" 500 " in receive(client)


def while_it_is_read(threads: int) -> None:
    """A helper closes it while the application waits for its client."""
    errors: list[BaseException] = []

    def app(environ: Any, start_response: Any) -> Any:
        threading.Timer(0.05, serving.server.close).start()
        try:
            if environ["REQUEST_METHOD"] == "POST":
                environ["wsgi.input"].read()
            write = start_response("200 OK", [])
            while True:
                write(b"x" * 1_000_000)
        except OSError as error:
            errors.append(error)
            raise

    post = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"
    for raw in (post, REQUEST):
        serving = Serving(app, threads, stream_body=1)
        with connect(serving.server, raw) as client:
            ended(serving)
            assert b"\r\n0\r\n" not in receive(client)
        until(lambda: errors)
        errors.clear()


def before_it_turns(threads: int) -> None:
    """Clients that nobody has accepted are told."""
    server = Server(lambda e, s: text(s, b"x"), port=0, threads=threads)
    client = connect(server)
    server.close()
    assert receive(client) == b""


def in_a_child(threads: int) -> None:
    """A forked child forgets the server, and uses what was kept of a call
    that waited. The call is its parent's: its end is not the child's."""
    kept: list[Any] = []
    ended: list[int] = []

    def app(environ: Any, start_response: Any) -> Any:
        write = start_response("200 OK", [])
        source = environ["wsgi.input"]
        kept.extend((source.read, lambda: write(b"x")))
        kept.append(lambda: start_response("200 OK", []))
        return endless()

    def endless() -> Any:
        try:
            while True:
                yield b"x" * 100_000
        finally:
            ended.append(os.getpid())

    server = Server(app, port=0, stream_body=1)
    post = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"
    client = connect(server, post)
    suspend(server)
    for close in (True, False):
        child = os.fork()
        if child == 0:
            if close:
                server.close()
            del server
            collect()
            for use in kept:
                try:
                    use()
                except RuntimeError:
                    continue
                os._exit(20)
            os._exit(len(ended))
        assert os.waitpid(child, 0)[1] == 0
    server.close()
    until(lambda: collect() and ended == [os.getpid()])
    client.close()


def access_log(threads: int) -> None:
    """The log is the server's until that has closed."""
    out, into = os.pipe()
    path = "/proc/self/fd/%d" % into
    serving = Serving(lambda e, s: text(s, b"x"), threads, access_log=path)
    assert serving.ask().endswith(b"x")
    serving.server.close()
    ended(serving)
    os.close(into)
    with open(out) as lines:
        assert len(lines.read().splitlines()) == 1


CASES = cases_of(globals())
#: They turn the server themselves.
LOOP_ONLY = {
    "everything_is_freed",
    "forgotten_while_suspended",
    "in_a_child",
    "kept_by_others",
    "turned_by_two_threads",
    "nested",
    "turned_in_close",
}

if __name__ == "__main__":
    main(CASES)

"""wsgi.file_wrapper: PEP 3333 "Optional Platform-Specific File Handling"."""

from __future__ import annotations

import gzip
import io
import os
import tempfile
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.wsgi.app import note, plain
from tests.wsgi.client import Client, request
from wsgibench.audit.wire.exchange import connect

TEXT = ("Content-Type", "application/octet-stream")
DATA = bytes(range(256)) * 4096  # 1 MiB
BIG = 64 << 20


class Noting:
    """A file-like object; says when it is closed."""

    def __init__(self, data: bytes) -> None:
        self.inner = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self.inner.read(size)

    def close(self) -> None:
        note("closed")


class NotingFile(io.FileIO):
    def close(self) -> None:
        if not self.closed:
            note("closed")
        super().close()


def real_file(data: bytes, kind: str) -> Any:
    handle, path = tempfile.mkstemp()
    with os.fdopen(handle, "wb") as out:
        out.write(data)
    raw = NotingFile(path) if kind == "raw" else io.FileIO(path)
    os.unlink(path)
    return raw if kind == "raw" else io.BufferedReader(raw)


def send(environ: dict[str, Any], start_response: Any) -> Any:
    """?kind,offset,length,block"""
    kind, offset, length, block = environ["QUERY_STRING"].split(",")
    data = b"" if kind.startswith("empty") else DATA
    fields = [TEXT]
    if length:
        fields.append(("Content-Length", length))
    if kind.endswith("like"):
        source: Any = Noting(data[int(offset) :])
    elif kind.endswith("bytesio"):
        source = io.BytesIO(data)
        source.seek(int(offset))
    else:
        source = real_file(data, kind)
        if kind == "text-position":
            source.read(int(offset))
        else:
            source.seek(int(offset))
    start_response("200 OK", fields)
    wrapper = environ["wsgi.file_wrapper"]
    return wrapper(source, int(block)) if block else wrapper(source)


def iterated(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    """Middleware unwraps it."""
    start_response("200 OK", [TEXT])
    wrapped = environ["wsgi.file_wrapper"](Noting(DATA), 1000)
    try:
        yield from wrapped
    finally:
        wrapped.close()


def started(environ: dict[str, Any], start_response: Any) -> Any:
    """Middleware looks at the first block and passes the rest on."""
    start_response("200 OK", [TEXT])
    wrapped = environ["wsgi.file_wrapper"](real_file(DATA, "raw"), 1000)
    first = next(iter(wrapped))
    note("first", len(first))
    return wrapped


def closed_early(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [TEXT])
    source = real_file(DATA, "plain")
    source.close()
    return environ["wsgi.file_wrapper"](source)


def no_read(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [TEXT])
    return environ["wsgi.file_wrapper"](object())


def pipe(environ: dict[str, Any], start_response: Any) -> Any:
    """A descriptor that has no size and cannot seek."""
    out, into = os.pipe()
    os.write(into, b"from a pipe")
    os.close(into)
    start_response("200 OK", [TEXT])
    return environ["wsgi.file_wrapper"](os.fdopen(out, "rb"))


def directory(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [TEXT])

    class Strange:
        fd = os.open("/", os.O_RDONLY)

        def fileno(self) -> int:
            return self.fd

        def read(self, size: int = -1) -> bytes:
            data, self.data = self.data, b""
            return data

        data = b"what read() says"

        def close(self) -> None:
            os.close(self.fd)

    return environ["wsgi.file_wrapper"](Strange())


def big(environ: dict[str, Any], start_response: Any) -> Any:
    handle, path = tempfile.mkstemp()
    os.ftruncate(handle, BIG)
    os.close(handle)
    found = NotingFile(path)
    os.unlink(path)
    start_response("200 OK", [TEXT])
    return environ["wsgi.file_wrapper"](found)


def no_length_1_0(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [TEXT])
    return environ["wsgi.file_wrapper"](Noting(b"small"))


def named(environ: dict[str, Any], start_response: Any) -> Any:
    """?path: a file of the kernel's, say."""
    start_response("200 OK", [TEXT])
    source = open(environ["QUERY_STRING"], "rb")
    return environ["wsgi.file_wrapper"](source)


def odd_file(kind: str) -> Any:
    """Files whose descriptor tells less than their read()."""
    handle, path = tempfile.mkstemp()
    os.close(handle)
    if kind == "zipped":
        with gzip.open(path, "wb") as out:
            out.write(DATA)
        found: Any = io.BufferedReader(gzip.open(path, "rb"))
        os.unlink(path)
        return found
    if kind == "unflushed":
        found = open(path, "w+b")
        os.unlink(path)
        found.write(DATA)
        found.seek(0)
        found.write(b"12345")
        return found
    found = open(path, "a+b")  # appending
    os.unlink(path)
    found.write(DATA)
    found.seek(5)
    return found


def odd(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [TEXT])
    return environ["wsgi.file_wrapper"](odd_file(environ["QUERY_STRING"]))


def write_only(environ: dict[str, Any], start_response: Any) -> Any:
    start_response("200 OK", [TEXT])
    handle, path = tempfile.mkstemp()
    os.write(handle, DATA)
    os.close(handle)
    found = io.FileIO(path, "ab")
    os.unlink(path)
    return environ["wsgi.file_wrapper"](found)


ASKED = threading.Event()


def taken_over(environ: dict[str, Any], start_response: Any) -> Any:
    """The file is closed, and its number another's, once the server has it."""
    start_response("200 OK", [TEXT])
    handle, path = tempfile.mkstemp()
    os.ftruncate(handle, BIG)
    os.close(handle)
    source = open(path, "rb")
    os.unlink(path)
    number = source.fileno()

    def take() -> None:
        if ASKED.wait(30):
            ASKED.clear()
            source.close()
            other = os.memfd_create("other")
            os.write(other, b"S" * 1000)
            if other != number:
                os.dup2(other, number)
                os.close(other)
            note("taken")

    threading.Thread(target=take, daemon=True).start()
    return environ["wsgi.file_wrapper"](source)


def ask_for_it(environ: dict[str, Any], start_response: Any) -> Any:
    ASKED.set()
    return plain(start_response, b"")


KINDS = ["raw", "plain", "like", "bytesio"]


@pytest.mark.parametrize("block", ["", "100", "100000"])
@pytest.mark.parametrize("kind", KINDS)
def test_whole(client: Client, kind: str, block: str) -> None:
    response = client.ask(send, query="%s,0,,%s" % (kind, block))
    assert response.status == 200
    assert response.body == DATA


@pytest.mark.parametrize("kind", [*KINDS, "text-position"])
def test_from_the_current_offset(client: Client, kind: str) -> None:
    response = client.ask(send, query="%s,1000,," % kind)
    assert response.body == DATA[1000:]


@pytest.mark.parametrize("kind", KINDS)
def test_cut_at_content_length(client: Client, kind: str) -> None:
    response = client.ask(send, query="%s,10,500," % kind)
    assert (response.framing, response.body) == ("length", DATA[10:510])


@pytest.mark.parametrize("kind", KINDS)
def test_shorter_than_content_length(client: Client, kind: str) -> None:
    query = "%s,0,%d," % (kind, len(DATA) + 10)
    response = client.once(send, query=query)
    assert not response.complete
    assert DATA.startswith(response.body)  # the reset may overtake the rest


@pytest.mark.parametrize("kind", ["empty-raw", "empty-like"])
def test_empty(client: Client, kind: str) -> None:
    assert client.ask(send, query="%s,0,," % kind).body == b""


@pytest.mark.parametrize("kind", ["raw", "like"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_closed_once(client: Client, kind: str, method: str) -> None:
    client.ask(send, query="%s,0,," % kind, method=method)
    assert client.notes(1) == [["closed"]]


@pytest.mark.parametrize("kind", KINDS)
def test_http_1_0(client: Client, kind: str) -> None:
    response = client.once(send, query="%s,0,," % kind, version="1.0")
    assert response.framing in ("close", "length")
    assert response.body[: len(DATA)] == DATA


def test_unwrapped_by_middleware(client: Client) -> None:
    assert client.ask(iterated).body == DATA
    assert client.notes(1) == [["closed"]]


def test_begun_by_middleware(client: Client) -> None:
    """What middleware has taken is not sent again."""
    assert client.ask(started).body == DATA[1000:]
    assert client.notes(2) == [["first", 1000], ["closed"]]


@pytest.mark.parametrize("app", [closed_early, no_read])
def test_broken_files(client: Client, app: Any) -> None:
    response = client.once(app)
    assert response.status == 500 or not response.complete


def test_pipe(client: Client) -> None:
    assert client.ask(pipe).body == b"from a pipe"


def test_descriptor_that_is_no_file(client: Client) -> None:
    response = client.once(directory)
    if response.status == 200 and response.complete:
        assert response.body == b"what read() says"


def test_big(client: Client) -> None:
    response = client.ask(big)
    assert len(response.body) == BIG
    assert client.notes(1) == [["closed"]]


def test_client_leaves(client: Client) -> None:
    sock = connect(client.target.address)
    sock.sendall(request(big))
    assert sock.recv(100).startswith(b"HTTP/1.1 200")
    sock.close()
    assert client.wait_note("closed") == ["closed"]


def test_small_without_length_to_1_0(client: Client) -> None:
    raw = client.target.send(request(no_length_1_0, version="1.0"))
    assert raw.endswith(b"\r\n\r\nsmall")


SYSTEM_FILES = [
    "/proc/version",
    "/proc/self/cmdline",
    "/sys/kernel/mm/transparent_hugepage/enabled",
    "/sys/devices/system/cpu/online",
]


@pytest.mark.parametrize(
    "path", [path for path in SYSTEM_FILES if os.path.exists(path)]
)
def test_files_that_do_not_know_their_size(client: Client, path: str) -> None:
    response = client.ask(named, query=path)
    assert response.complete
    if "self" in path:
        assert response.body
    else:
        with open(path, "rb") as file:
            assert response.body == file.read()


@pytest.mark.parametrize(
    ("kind", "body"),
    [("zipped", DATA), ("unflushed", DATA[5:]), ("appending", DATA[5:])],
)
def test_what_reading_would_give(
    client: Client, kind: str, body: bytes
) -> None:
    assert client.ask(odd, query=kind).body == body


def test_a_file_that_cannot_be_read(client: Client) -> None:
    response = client.once(write_only)
    assert response.status == 500 or not response.complete


def test_a_descriptor_that_becomes_another_file(client: Client) -> None:
    with connect(client.target.address) as sock:
        sock.sendall(request(taken_over, fields=("Connection: close",)))
        head = sock.recv(100)
        client.ask(ask_for_it)
        assert client.wait_note("taken") == ["taken"]
        rest = client.read_all(sock)
    assert b"S" not in (head + rest).partition(b"\r\n\r\n")[2]
    assert len(rest) > BIG - 1000

"""What the access log says, of whom, and what happens when nobody reads."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.wire.target import child_environment
from wsgibench.errors import UsageError, WsgibenchError
from wsgibench.native import log_format

Start = Callable[..., Any]
Lines = Callable[..., list[str]]


def app(environ: dict[str, Any], start_response: Any) -> Any:
    environ["wsgi.input"].read()
    status = environ["PATH_INFO"][1:] or "200"
    start_response(
        status + " Fine", [("X-Say", 'a "b"'), ("Content-Type", "t")]
    )
    return [b"hello"]


def converse(address: Any, raw: bytes) -> bytes:
    with socket.create_connection(address[:2], 30) as sock:
        sock.sendall(raw)
        sock.shutdown(socket.SHUT_WR)
        data = b""
        while True:
            piece = sock.recv(65536)
            if not piece:
                return data
            data += piece


@pytest.fixture
def logged(serve_app: Start, tmp_path: Path) -> Lines:
    """The lines that these conversations leave in a log of this format."""

    def lines(form: str, *raws: bytes, **settings: Any) -> list[str]:
        path = tmp_path / "log"
        server = serve_app(
            app, access_log=str(path), log_format=form, **settings
        )
        for raw in raws:
            converse(server.address, raw)
        server.stop()
        data = path.read_bytes()
        assert all(32 <= byte < 127 or byte == 10 for byte in data)
        return data.decode("ascii").splitlines()

    return lines


def request(target: str = "/", *fields: str, method: str = "GET") -> bytes:
    head = ["%s %s HTTP/1.1" % (method, target), "Host: a", *fields, "", ""]
    return "\r\n".join(head).encode("latin-1")


def test_every_atom(logged: Lines) -> None:
    form = (
        "h=%(h)s l=%(l)s u=%(u)s t=%(t)s r=%(r)s m=%(m)s U=%(U)s q=%(q)s "
        "H=%(H)s s=%(s)s B=%(B)d b=%(b)s f=%(f)s a=%(a)s p=%(p)s %% "
        "i=%({X-Thing}i)s o=%({x-say}o)s l=%({Content-Length}o)s "
        "e=%({HTTP_HOST}e)s p=%({PATH_INFO}e)s n=%({x-none}i)s"
    )
    user = base64.b64encode(b"anna:secret").decode()
    (line,) = logged(
        form,
        request(
            "/201?a=b",
            "Authorization: Basic " + user,
            "Referer: http://r/",
            "User-Agent: ua",
            "X-Thing: thing",
        ),
    )
    line = re.sub(r"t=\[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000\]", "t=", line)
    assert line == (
        "h=127.0.0.1 l=- u=anna t= r=GET /201?a=b HTTP/1.1 m=GET U=/201 q=a=b "
        "H=HTTP/1.1 s=201 B=5 b=5 f=http://r/ a=ua p=<%d> %% "
        'i=thing o=a \\"b\\" l=5 e=a p=/201 n=-' % os.getpid()
    )


def test_the_times_of_one_request(logged: Lines) -> None:
    (line,) = logged("%(T)s %(M)s %(D)s %(L)s", request())
    whole, milli, micro, decimal = line.split()
    assert int(whole) == int(micro) // 1000000
    assert int(milli) == int(micro) // 1000
    assert decimal == "%.6f" % (int(micro) / 1e6)
    assert int(micro) > 0


def test_json(logged: Lines) -> None:
    lines = logged(
        "json",
        request(
            "/200?\xe4\\", 'User-Agent: "quoted" \\ \xe9', "Referer: x" * 99
        ),
        b"nonsense\x1b[31m\r\n\r\n",
    )
    good, bad = [json.loads(line) for line in lines]
    assert good["target"] == "/200?\xe4\\"
    assert good["user_agent"] == '"quoted" \\ \xe9'
    assert (good["method"], good["status"], good["bytes"]) == ("GET", 200, 5)
    assert good["protocol"] == "HTTP/1.1"
    assert good["queue_us"] <= good["duration_us"]
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z", good["time"])
    assert bad["target"] == "nonsense\x1b[31m"
    assert (bad["status"], bad["method"]) == (400, None)


def test_long_json_is_whole(logged: Lines) -> None:
    long = "/" + "\xff" * 9000
    (line,) = logged(
        "json", request(long, "User-Agent: " + long, "Referer: " + long)
    )
    assert json.loads(line)["target"] == long[:1024]


REFUSED = [
    (b"GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1", 400),
    (b"GET /x HTTP/1.1\r\nHost : a\r\n\r\n", "GET /x HTTP/1.1", 400),
    (b'no "good" \\\x07\xff\r\n\r\n', r"no \"good\" \\\x07\xff", 400),
    (b"\x16\x03\x01\0", r"\x16\x03\x01\x00", 400),
    (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", "GET / HTTP/2.0", 505),
    (b"GET /" + b"a" * 20000, "GET /" + "a" * 1019, 414),
    (
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 40000,
        "GET / HTTP/1.1",
        431,
    ),
    (
        b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n",
        "POST /p HTTP/1.1",
        413,
    ),
    (
        b"POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nz",
        "POST /p HTTP/1.1",
        400,
    ),
]


@pytest.mark.parametrize(("raw", "line", "status"), REFUSED)
def test_what_the_core_refuses(
    logged: Lines, raw: bytes, line: str, status: int
) -> None:
    found = logged('%(h)s "%(r)s" %(s)s %(m)s', raw, max_body=50)
    method = line.split()[0] if status == 413 or b"chunked" in raw else "-"
    assert found == ['127.0.0.1 "%s" %d %s' % (line, status, method)]


def test_a_deadline(logged: Lines, serve_app: Start, tmp_path: Path) -> None:
    path = tmp_path / "late"
    server = serve_app(
        app, access_log=str(path), log_format="%(r)s %(s)s", head_timeout=0.1
    )
    with socket.create_connection(server.address, 30) as sock:
        sock.sendall(b"GET /slow HTTP/1.1\r\nHos")
        assert sock.recv(100).startswith(b"HTTP/1.1 408 ")
    server.stop()
    assert path.read_text() == "GET /slow HTTP/1.1 408\n"


@pytest.mark.parametrize(
    "form",
    [
        *("%(x)s", "%(h)", "%(h)z", "%h", "100%", "plain", "%(h)s\n%(l)s"),
        *("%({x}y)s", "%({}i)s", "%({wsgi.input}e)s", "%({x}i", "%()s"),
        *("%(", "%({", "%({x", "%({x}", "%(hh)s"),
    ],
)
def test_a_format_that_is_none(
    serve_app: Start, tmp_path: Path, form: str
) -> None:
    with pytest.raises(UsageError, match="format of the access log"):
        serve_app(app, access_log=str(tmp_path / "l"), log_format=form)


@pytest.mark.parametrize(
    "form", ["%(x)s", "%(h)", "%(h)z", "%h", "%({x}i", "%(", "%({", "%"]
)
def test_the_core_refuses_it_itself(
    serve_app: Start, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """Whoever uses the C interface has no other judge."""
    monkeypatch.setattr(log_format, "check", lambda text: text)
    with pytest.raises(WsgibenchError, match="no atom"):
        serve_app(app, access_log=os.devnull, log_format=form)


# Nobody reads -------------------------------------------------------------

SERVE = """
import sys, wsgibench
def app(environ, start_response):
    start_response("200 OK", [])
    return [environ["QUERY_STRING"].encode()]
wsgibench.serve(app, bind="fd://%s" % sys.argv[1], threads=int(sys.argv[2]),
                access_log=sys.argv[3], log_format="combined")
"""


@contextlib.contextmanager
def serving(
    binding: str, threads: int, log: str, stdout: Any = None
) -> Iterator[tuple[subprocess.Popen[bytes], socket.socket]]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        process = subprocess.Popen(
            [
                *(sys.executable, "-c", SERVE, str(listener.fileno())),
                *(str(threads), log),
            ],
            env=child_environment({"WSGIBENCH_BACKEND": binding}),
            pass_fds=[listener.fileno()],
            stdout=stdout,
            stderr=subprocess.PIPE,
        )
        try:
            with socket.create_connection(listener.getsockname(), 30) as sock:
                yield process, sock
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            assert process.stderr is not None
            process.stderr.close()


def ask(sock: socket.socket, times: int) -> None:
    """Requests with long lines, one after the other on one connection."""
    query = b"q" * 3000
    raw = b"GET /?%s HTTP/1.1\r\nHost: a\r\n\r\n" % query
    for _ in range(times):
        sock.sendall(raw)
        data = b""
        while not data.endswith(query):
            piece = sock.recv(65536)
            assert piece
            data += piece


def ended(process: subprocess.Popen[bytes]) -> str:
    process.send_signal(signal.SIGTERM)
    assert process.stderr is not None
    errors = process.stderr.read().decode()
    assert process.wait(20) == 0, errors
    return errors


@pytest.mark.parametrize("threads", [0, 2])
@pytest.mark.parametrize("kind", ["pipe", "fifo", "socket"])
def test_a_log_that_nobody_reads(
    binding: str, threads: int, kind: str, tmp_path: Path
) -> None:
    path, keep = "-", []
    if kind == "fifo":
        path = str(tmp_path / "fifo")
        os.mkfifo(path)
        keep.append(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
        stdout = None
    elif kind == "pipe":
        read, stdout = os.pipe()
        keep += [read, stdout]
    else:
        ours, theirs = socket.socketpair()
        keep.append(ours.detach())
        stdout = theirs.detach()
        keep.append(stdout)
    try:
        with serving(binding, threads, path, stdout) as (process, sock):
            ask(sock, 500)
            errors = ended(process)
    finally:
        for fd in keep:
            os.close(fd)
    assert errors.count("nobody reads it") == 1, errors


def test_a_mode_of_the_pipe_is_not_changed(binding: str) -> None:
    """Its other users would be surprised by EAGAIN."""
    read, write = os.pipe()
    with serving(binding, 0, "-", write) as (process, sock):
        ask(sock, 2)
        assert not fcntl.fcntl(write, fcntl.F_GETFL) & os.O_NONBLOCK
        ended(process)
    os.close(write)
    with open(read, "rb") as file:
        assert len(file.read().splitlines()) == 2


def test_a_reader_that_comes_back_finds_whole_lines(binding: str) -> None:
    """What the pipe and the server have kept, and then each new one."""
    read, write = os.pipe()
    with serving(binding, 0, "-", write) as (process, sock):
        ask(sock, 200)
        reader = open(read, "rb")
        lines = [reader.readline()]  # there is room in the pipe again
        assert process.stderr is not None
        said = process.stderr.readline() + process.stderr.readline()
        told = re.search(rb"written again, (\d+) lines were lost", said)
        assert told is not None, said
        while len(lines) < 200 - int(told.group(1)):
            lines.append(reader.readline())
        ask(sock, 1)
        lines.append(reader.readline())
        ended(process)
    os.close(write)
    assert reader.read() == b""
    reader.close()
    whole = re.compile(
        rb'127.* "GET /\?q{3000} HTTP/1.1" 200 3000 "-" "-"\n\Z'
    )
    assert all(whole.match(line) for line in lines)


def test_a_disk_that_is_full(binding: str) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full")
    with serving(binding, 0, "/dev/full") as (process, sock):
        ask(sock, 100)
        errors = ended(process)
    assert errors.count("No space left on device") == 1, errors


def test_lost_lines_are_counted(serve_app: Start) -> None:
    server = serve_app(app, access_log="/dev/full", log_format="combined")
    raw = request("/200?" + "q" * 3000)
    for _ in range(60):
        converse(server.address, raw)
    assert server.stats()["log_lost"] > 10


def test_stderr_that_is_gone(binding: str) -> None:
    """Being told of lost lines must not end the server either."""
    with serving(binding, 0, "/dev/full") as (process, sock):
        ask(sock, 1)
        assert process.stderr is not None
        process.stderr.close()
        process.stderr = subprocess.Popen(
            [sys.executable, "-c", ""], stderr=subprocess.PIPE
        ).stderr
        ask(sock, 100)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0

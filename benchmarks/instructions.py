"""Instructions in user space that one request costs c-uv, by callgrind.

    .venv/bin/python benchmarks/instructions.py [NAME ...] [--python PYTHON]
        [-k FOLDER]

Each figure is (I(3600) - I(600)) / 3000: two servers of their own run under
valgrind, one answers 600 requests and one 3600, on 8 keep-alive connections in
turn, and what start and stop cost falls out of the difference. The counts do
not depend on what else the machine does. -k keeps callgrind's output there,
for callgrind_annotate.

The application's own instructions are in the figures.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONNECTIONS, FEW, MANY = 8, 600, 3600
PAGE = b"0123456789" * 4
PIECES = [PAGE[at : at + 8] for at in range(0, 40, 8)]
FORM = b"name=0123456789&text=" + b"x" * 59
SOURCE = Path(__file__).resolve().parents[1] / "python"

BROWSER = (
    b"Host: 127.0.0.1:8000\r\n"
    b"Cache-Control: max-age=0\r\n"
    b"Upgrade-Insecure-Requests: 1\r\n"
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML,"
    b" like Gecko) Chrome/130.0.0.0 Safari/537.36\r\n"
    b"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,"
    b"image/avif,image/webp,*/*;q=0.8\r\n"
    b"Accept-Encoding: gzip, deflate, br\r\n"
    b"Accept-Language: en-US,en;q=0.9\r\n"
)


# ---- the applications -----------------------------------------------------


def hello(environ: dict[str, Any], start: Any) -> Any:
    start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "40")])
    return [PAGE]


def form(environ: dict[str, Any], start: Any) -> Any:
    data = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    assert len(data) == len(FORM)
    return hello(environ, start)


def fields(environ: dict[str, Any], start: Any) -> Any:
    fields.count += 1  # type: ignore[attr-defined]
    start(
        "200 OK",
        [
            ("Content-Type", "text/plain"),
            ("Content-Length", "40"),
            ("Cache-Control", "no-store"),
            ("Vary", "Cookie"),
            ("X-Frame-Options", "DENY"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Request-Id", "%032x" % fields.count),  # type: ignore
        ],
    )
    return [PAGE]


fields.count = 0  # type: ignore[attr-defined]


def generator(environ: dict[str, Any], start: Any) -> Any:
    start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "40")])
    yield from PIECES


# ---- the requests ---------------------------------------------------------


def same(number: int) -> bytes:
    return proxied(1)


def proxied(number: int) -> bytes:
    """Cookie, X-Request-Id and X-Forwarded-For of no other request."""
    noise = (number * 0x9E3779B97F4A7C15) % (1 << 64)
    return (
        b"Cookie: session=%016x%016x; theme=dark\r\n"
        b"X-Request-Id: %016x%016x\r\n"
        b"X-Forwarded-For: 10.%d.%d.%d\r\n"
    ) % (
        *(noise, number, number, noise),
        *(noise >> 8 & 255, number >> 8 & 255, number & 255),
    )


@dataclass(frozen=True)
class Figure:
    app: Callable[..., Any]
    varying: Callable[[int], bytes]
    at_most: int
    post: bool = False

    def request(self, number: int) -> bytes:
        head = BROWSER + self.varying(number)
        if not self.post:
            return b"GET / HTTP/1.1\r\n" + head + b"\r\n"
        return (
            b"POST /form HTTP/1.1\r\n"
            + head
            + b"Content-Type: application/x-www-form-urlencoded\r\n"
            b"Content-Length: %d\r\n\r\n" % len(FORM)
        ) + FORM


FIGURES = {
    "same": Figure(hello, same, 4900),
    "unique": Figure(hello, proxied, 13000),
    "form": Figure(form, proxied, 22000, post=True),
    "fields": Figure(fields, proxied, 15000),
    "generator": Figure(generator, proxied, 18000),
}


# ---- counting -------------------------------------------------------------


def serve(app: Callable[..., Any]) -> None:
    """Until standard input ends."""
    from threading import Thread

    from wsgibench import Server

    server = Server(app, port=0)
    print(server.address[1], flush=True)

    def watch() -> None:
        sys.stdin.read()
        server.core.stop(1.0)

    Thread(target=watch).start()
    server.core.run()
    server.close()


def receive(sock: socket.socket) -> None:
    data = b""
    while not data.endswith(PAGE):
        more = sock.recv(65536)
        if not more:
            sys.exit("instructions: the server ended early: %r" % data)
        data += more
    if not data.startswith(b"HTTP/1.1 200 "):
        sys.exit("instructions: not a page: %r" % data)


def ask(port: int, figure: Figure, requests: int) -> None:
    address = ("127.0.0.1", port)
    socks = [socket.create_connection(address) for _ in range(CONNECTIONS)]
    for number in range(requests):
        sock = socks[number % CONNECTIONS]
        sock.sendall(figure.request(number + 1))
        receive(sock)
    for sock in socks:
        sock.close()


def count(python: str, name: str, requests: int, output: Path) -> int:
    """Instructions of a whole process that answers so many requests."""
    process = subprocess.Popen(
        [
            *("valgrind", "--tool=callgrind", "-q"),
            "--callgrind-out-file=%s" % output,
            *(python, __file__, "--serve", name),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=dict(os.environ, PYTHONPATH=str(SOURCE), PYTHONHASHSEED="0"),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        ask(int(process.stdout.readline()), FIGURES[name], requests)
    finally:
        process.stdin.close()
        process.wait()
    total = re.search(r"^(?:summary|totals): (\d+)", output.read_text(), re.M)
    if total is None:
        sys.exit("instructions: callgrind counted nothing.")
    return int(total.group(1))


def per_request(python: str, name: str, keep: Path | None = None) -> float:
    with tempfile.TemporaryDirectory() as temporary:
        folder = keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        few, many = (
            count(python, name, n, folder / ("callgrind.%s.%d" % (name, n)))
            for n in (FEW, MANY)
        )
    return (many - few) / (MANY - FEW)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("-k", "--keep", type=Path)
    parser.add_argument("--serve", choices=FIGURES, help=argparse.SUPPRESS)
    parser.epilog = "names: " + ", ".join(FIGURES)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(FIGURES[arguments.serve].app)
        return 0
    if shutil.which("valgrind") is None:
        parser.error("valgrind is not installed.")
    for name in arguments.names or FIGURES:
        if name not in FIGURES:
            parser.error("%r is none of %s." % (name, ", ".join(FIGURES)))
    missed = 0
    for name in arguments.names or FIGURES:
        figure = FIGURES[name]
        value = per_request(arguments.python, name, arguments.keep)
        missed += value > figure.at_most
        print(
            "%-10s %7.0f  <= %5d  %s"
            % (
                name,
                value,
                figure.at_most,
                "holds" if value <= figure.at_most else "MISSED",
            ),
            flush=True,
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

"""One request asked of a server, and its whole answer."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import socket
import zlib
from dataclasses import dataclass

from wsgibench.harness.requests.request import Headers, Request

Address = tuple[str, int]
TIMEOUT = 30.0
#: Statuses of answers without a body, beside those to HEAD.
BODILESS = (204, 304)


@dataclass(frozen=True)
class Answer:
    status: int  # 0: there was none
    headers: Headers = ()
    body: bytes = b""  # as it crossed the wire
    error: str = ""

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name]

    @property
    def text(self) -> bytes:
        """The body without its compression, which is not always the same
        for the same content."""
        coding = ", ".join(self.values("content-encoding")).lower()
        try:
            if coding == "gzip":
                return gzip.decompress(self.body)
            if coding == "deflate":
                return zlib.decompress(self.body)
        except (OSError, EOFError, zlib.error):
            pass
        return self.body


def ask(
    address: Address, request: Request, host: str, timeout: float = TIMEOUT
) -> Answer:
    """On a connection of its own."""
    connection = http.client.HTTPConnection(*address, timeout=timeout)
    try:
        return _ask(connection, request, host)
    except http.client.IncompleteRead as error:
        missing = error.expected and ", %d more promised" % error.expected
        return Answer(
            0,
            error="the answer ended after %d bytes%s"
            % (len(error.partial), missing or ""),
        )
    except (OSError, http.client.HTTPException) as error:
        return Answer(0, error="%s: %s" % (type(error).__name__, error))
    finally:
        connection.close()


def _ask(
    connection: http.client.HTTPConnection, request: Request, host: str
) -> Answer:
    connection.putrequest(
        request.method,
        request.target,
        skip_host=True,
        skip_accept_encoding=True,
    )
    if not request.header("host"):
        connection.putheader("Host", host)
    for name, value in request.headers:
        connection.putheader(name, value.encode("latin-1"))
    if request.body or request.method in ("POST", "PUT", "PATCH"):
        connection.putheader("Content-Length", str(len(request.body)))
    connection.endheaders(request.body or None)
    assert connection.sock is not None
    response = http.client.HTTPResponse(connection.sock, method=request.method)
    try:
        response.begin()
        if request.method == "HEAD" or response.status in BODILESS:
            body = _behind(connection.sock, response, request, host)
        else:
            body = response.read()
        headers = tuple(response.getheaders())
        return Answer(response.status, headers, body)
    finally:
        response.close()


def _behind(
    sock: socket.socket,
    response: http.client.HTTPResponse,
    request: Request,
    host: str,
) -> bytes:
    """What a server sends behind an answer that has no body: it stands
    before the next answer. http.client takes it that there is nothing."""
    again = "HEAD %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n"
    with contextlib.suppress(OSError):  # it may have closed
        text = again % (request.target, request.header("host") or host)
        sock.sendall(text.encode("latin-1"))
    with contextlib.suppress(ConnectionResetError):
        assert response.fp is not None
        more = response.fp.readline(65536)
        return b"" if more.startswith(b"HTTP/") else more
    return b""

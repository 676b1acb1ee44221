"""Requests as bytes, before the run: nothing is built while it goes on."""

from __future__ import annotations

import http.client
import socket
import ssl
from dataclasses import dataclass, field

from wsgibench.errors import UsageError, WsgibenchError
from wsgibench.load.headers import header_set
from wsgibench.load.spec import LoadSpec
from wsgibench.load.target import Target
from wsgibench.load.urls import Entry, read_list, turns

MAX_SEQUENCE = 10_000
MAX_LEARNED = 1_000


@dataclass
class Rendered:
    requests: list[bytes]
    bodies: list[bytes] = field(default_factory=list)  # what is expected
    order: list[int] = field(default_factory=list)


def _entries(spec: LoadSpec, target: Target) -> list[Entry]:
    if spec.url_list:
        return read_list(spec.url_list, spec.method)
    if "{seq}" not in target.path:
        return [Entry(target.path, spec.method)]
    return [
        Entry(target.path.replace("{seq}", str(number)), spec.method)
        for number in range(MAX_SEQUENCE)
    ]


def _chunked(body: bytes, size: int) -> bytes:
    """RFC 9112 7.1."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(
        b"%x\r\n%s\r\n" % (len(piece), piece) for piece in [*pieces, b""]
    )


def _message(spec: LoadSpec, entry: Entry, authority: str) -> bytes:
    version = "HTTP/1.0" if spec.http10 else "HTTP/1.1"
    lines = ["%s %s %s" % (entry.method, entry.target, version)]
    headers = [*header_set(spec.headers), *spec.extra_headers]
    own = {name.lower() for name, _ in spec.extra_headers}
    if "host" not in own:
        lines.append("Host: " + authority)
    if "connection" not in own:
        if not spec.keepalive:
            lines.append("Connection: close")
        elif spec.http10 or spec.headers != "minimal":
            # HTTP/1.1 persists by itself; browsers say it all the same.
            lines.append("Connection: keep-alive")
    lines += ["%s: %s" % header for header in headers]
    body = spec.body
    if spec.chunk:
        lines.append("Transfer-Encoding: chunked")
        body = _chunked(body, spec.chunk)
    elif body or entry.method in ("POST", "PUT", "PATCH"):
        lines.append("Content-Length: %d" % len(body))
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def _connect(spec: LoadSpec, target: Target) -> socket.socket:
    if target.host.startswith("unix:"):
        path = target.host[5:]
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(spec.timeout)
        sock.connect("\0" + path[1:] if path.startswith("@") else path)
        return sock
    address = (target.host, target.port)
    sock = socket.create_connection(address, spec.timeout)
    if not target.tls:
        return sock
    context = ssl.create_default_context(cafile=spec.tls_ca or None)
    if not spec.tls_ca:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(sock, server_hostname=target.name or None)


def _learn(
    spec: LoadSpec, target: Target, requests: list[bytes]
) -> list[bytes]:
    """One answer to each request, before the run."""
    if len(requests) > MAX_LEARNED:
        raise UsageError(
            "the bodies of %d different requests cannot be learned; %d can."
            % (len(requests), MAX_LEARNED)
        )
    bodies = []
    for request in requests:
        try:
            with _connect(spec, target) as sock:
                sock.sendall(request)
                method = request.split(b" ", 1)[0].decode("ascii")
                response = http.client.HTTPResponse(sock, method=method)
                response.begin()
                bodies.append(response.read())
        except (OSError, http.client.HTTPException) as error:
            raise WsgibenchError(
                "the body to expect could not be learned: %s."
                % (error or type(error).__name__)
            ) from error
    return bodies


def render(spec: LoadSpec) -> Rendered:
    target = spec.target()
    entries = _entries(spec, target)
    requests = [_message(spec, entry, target.authority) for entry in entries]
    rendered = Rendered(requests, order=turns(entries, spec.seed))
    if spec.learn:
        rendered.bodies = _learn(spec, target, requests)
    elif spec.expect_body is not None:
        rendered.bodies = [spec.expect_body]
    return rendered

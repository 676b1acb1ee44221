"""The body to expect: that of one answer before the run."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator

from wsgibench.errors import UsageError, WsgibenchError
from wsgibench.load.spec import LoadSpec
from wsgibench.load.target import Target

MOST_BYTES = 1 << 28  # of a body that is compared
PIECE = 1 << 20


def _reach(target: Target, timeout: float) -> socket.socket:
    """A connection to the first of its addresses that answers."""
    *others, last = target.addresses.split("\n")
    for address in others:
        with contextlib.suppress(OSError):
            return socket.create_connection((address, target.port), timeout)
    return socket.create_connection((last, target.port), timeout)


def _context(spec: LoadSpec) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=spec.tls_ca or None)
        if spec.tls_cert:
            context.load_cert_chain(spec.tls_cert, spec.tls_key or None)
    except OSError as error:  # ssl.SSLError is one
        raise UsageError(
            "no certificates, or no key that fits, can be read from %r: %s."
            % (spec.tls_cert or spec.tls_ca, error)
        ) from error
    if not spec.tls_ca:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _connect(spec: LoadSpec, target: Target) -> socket.socket:
    if target.is_unix:
        path = target.addresses[5:]
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(spec.timeout)
        sock.connect("\0" + path[1:] if path.startswith("@") else path)
        return sock
    if not target.tls:
        return _reach(target, spec.timeout)
    context = _context(spec)
    name = spec.server_name(target) or None
    return context.wrap_socket(
        _reach(target, spec.timeout), server_hostname=name
    )


@contextlib.contextmanager
def _ended_after(sock: socket.socket, seconds: float) -> Iterator[None]:
    """A socket's own timeout is that of one call: a peer may drip."""
    over = threading.Event()

    def end() -> None:
        over.set()
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if over.is_set():
            raise TimeoutError("no whole answer came in %g s" % seconds)


def _body(sock: socket.socket, method: str) -> bytes:
    response = http.client.HTTPResponse(sock, method=method)
    response.begin()
    while response.status < 200:  # interim ones; begin() knows only 100
        response.headers = None  # type: ignore[assignment]
        response.begin()
    body = bytearray()
    while piece := response.read(PIECE):
        body += piece
        if len(body) > MOST_BYTES:
            raise OSError("it has more than %d bytes" % MOST_BYTES)
    if response.length:
        raise http.client.IncompleteRead(bytes(body), response.length)
    return bytes(body)


def ask(spec: LoadSpec, target: Target, request: bytes, method: str) -> bytes:
    """The body; WsgibenchError when there is none within ``spec.timeout``."""
    try:
        with _connect(spec, target) as sock:
            with _ended_after(sock, spec.timeout):
                sock.sendall(request)
                return _body(sock, method)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise WsgibenchError(
            "the body to expect could not be learned: %s."
            % (str(error) or type(error).__name__)
        ) from error

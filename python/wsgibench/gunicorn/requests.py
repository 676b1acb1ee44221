"""What gunicorn does around a request, as wrappers of the application: only
those that a setting asks for."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator
from typing import Any

from wsgibench.gunicorn import peers, settings
from wsgibench.native.contract import Application

# Each connection for one request --------------------------------------------


def without_keepalive(app: Application) -> Application:
    def call(environ: dict[str, Any], start_response: Any) -> Any:
        def start(status: str, headers: Any, exc_info: Any = None) -> Any:
            fields = [*headers, ("Connection", "close")]
            return start_response(status, fields, exc_info)

        return app(environ, start)

    return call


def without_sendfile(app: Application) -> Application:
    """Files are read and written, not sent by the kernel."""
    from gunicorn.http.wsgi import FileWrapper

    def call(environ: dict[str, Any], start_response: Any) -> Any:
        environ["wsgi.file_wrapper"] = FileWrapper
        return app(environ, start_response)

    return call


# Proxies in front -----------------------------------------------------------


def _key(name: str) -> str:
    """As the core hands it on (underscored_headers)."""
    return "HTTP_" + name.upper().replace("_", "/").replace("-", "_")


#: Takes an environ; False: the request is refused.
Check = Callable[[dict[str, Any]], bool]


def _scheme(cfg: Any, is_allowed: Callable[[str], bool]) -> Check:
    """wsgi.url_scheme by secure_scheme_headers."""
    schemes = [
        (_key(name), value)
        for name, value in cfg.secure_scheme_headers.items()
    ]

    def check(environ: dict[str, Any]) -> bool:
        found = {
            environ[key] == secure for key, secure in schemes if key in environ
        }
        if found and is_allowed(environ["REMOTE_ADDR"]):
            if len(found) > 1:
                return False
            secure = found.pop()
            environ["wsgi.url_scheme"] = "https" if secure else "http"
        return True

    return check


def _underscored(cfg: Any, is_allowed: Callable[[str], bool]) -> Check:
    """forwarder_headers and header_map: what becomes of fields with _ in
    their names, which may be another's in environ."""
    forwarders = list(getattr(cfg, "forwarder_headers", ()))
    header_map = getattr(cfg, "header_map", "drop")
    keys = [_key(name) for name in forwarders if "_" in name]
    takes_all = header_map != "drop" or "*" in forwarders

    def may_pass(name: str, address: str) -> bool:
        is_named = name in forwarders or "*" in forwarders
        return header_map == "dangerous" or is_named and is_allowed(address)

    def check(environ: dict[str, Any]) -> bool:
        if takes_all:
            found = [key for key in environ if "/" in key]
        else:
            found = [key for key in keys if key in environ]
        for key in found:
            value = environ.pop(key)
            name = key[5:].replace("_", "-").replace("/", "_")
            if may_pass(name, environ["REMOTE_ADDR"]):
                key = key.replace("/", "_")
                both = (environ[key], value) if key in environ else (value,)
                environ[key] = ",".join(both)
                if name == "SCRIPT_NAME":
                    environ["SCRIPT_NAME"] = value
            elif header_map == "refuse":
                return False
        return True

    return check


def _mount(environ: dict[str, Any], script_name: str) -> None:
    """SCRIPT_NAME is no part of PATH_INFO."""
    path = environ["PATH_INFO"]
    if not path.startswith(script_name):
        raise ValueError(
            "Request path %r does not start with SCRIPT_NAME %r"
            % (path, script_name)
        )
    environ["SCRIPT_NAME"] = script_name
    environ["PATH_INFO"] = path[len(script_name) :]


def forwarded(app: Application, cfg: Any, script_name: str) -> Application:
    """What the addresses of forwarded_allow_ips tell. ``script_name``: of
    the process's environment."""
    is_allowed = peers.who_may_forward(cfg, settings.has_proxy_protocol(cfg))
    has_scheme = _scheme(cfg, is_allowed)
    has_names = _underscored(cfg, is_allowed)

    def call(environ: dict[str, Any], start_response: Any) -> Any:
        if not (has_scheme(environ) and has_names(environ)):
            body = b"Fields that a proxy may set contradict or are refused\n"
            length = ("Content-Length", str(len(body)))
            start_response("400 Bad Request", [length])
            return [body]
        name = environ["SCRIPT_NAME"] or script_name
        if name:
            _mount(environ, name)
        return app(environ, start_response)

    return call


# Hooks, and logs that Python writes -----------------------------------------


class Request:
    """What hooks and loggers are given as gunicorn's request."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self.environ = environ
        self.method = environ["REQUEST_METHOD"]
        self.uri = environ["RAW_URI"]
        self.path, _, self.query = self.uri.partition("?")
        self.fragment = ""
        digits = environ["SERVER_PROTOCOL"].rpartition("/")[2].split(".")
        self.version = tuple(int(digit) for digit in digits)
        self.scheme = environ["wsgi.url_scheme"]
        self.body = environ["wsgi.input"]
        address = environ["REMOTE_ADDR"]
        self.remote_addr = self.peer_addr = (
            (address, int(environ.get("REMOTE_PORT") or 0)) if address else ""
        )
        self.trailers: list[tuple[str, str]] = []
        self.proxy_protocol_info: dict[str, Any] | None = None

    @property
    def headers(self) -> list[tuple[str, str]]:
        found = []
        for key, value in self.environ.items():
            if key.startswith("HTTP_"):
                found.append((key[5:].replace("_", "-"), value))
            elif key in ("CONTENT_TYPE", "CONTENT_LENGTH") and value:
                found.append((key.replace("_", "-"), value))
        return found


class Response:
    """And as its response: what was given to start_response."""

    def __init__(self) -> None:
        self.status = "500 Internal Server Error"
        self.headers: list[tuple[str, str]] = []
        self.sent = 0  # bytes of body
        self.headers_sent = False

    @property
    def status_code(self) -> int:
        return int(self.status.split(None, 1)[0])

    @property
    def response_length(self) -> int | None:
        for name, value in self.headers:
            if name.lower() == "content-length":
                return int(value)
        return None


class Answer:
    """The application's iterable; its end is the request's."""

    def __init__(
        self, parts: Any, response: Response, on_end: Callable[[], None]
    ) -> None:
        self._parts = parts
        self._response = response
        self._on_end = on_end

    def __iter__(self) -> Iterator[bytes]:
        for part in self._parts:
            self._response.sent += len(part)
            self._response.headers_sent = True
            yield part

    def close(self) -> None:
        try:
            if hasattr(self._parts, "close"):
                self._parts.close()
        finally:
            self._on_end()


def observed(app: Application, worker: Any, logs: bool) -> Application:
    """pre_request and post_request; and, if ``logs``, gunicorn's logger (and
    its statsd) is told of each request."""
    cfg, log = worker.cfg, worker.log

    def call(environ: dict[str, Any], start_response: Any) -> Any:
        environ["RAW_URI"] = environ["REQUEST_URI"]
        request, response = Request(environ), Response()
        began = time.monotonic()

        def start(status: str, headers: Any, exc_info: Any = None) -> Any:
            response.status, response.headers = status, list(headers)
            write = start_response(status, headers, exc_info)

            def counted_write(data: bytes) -> None:
                response.sent += len(data)
                write(data)

            return counted_write

        def end() -> None:
            taken = datetime.timedelta(seconds=time.monotonic() - began)
            try:
                if logs:
                    log.access(response, request, environ, taken)
            finally:
                cfg.post_request(worker, request, environ, response)

        cfg.pre_request(worker, request)
        try:
            parts = app(environ, start)
        except BaseException:
            response.status = "500 Internal Server Error"
            response.headers = []
            end()
            raise
        return Answer(parts, response, end)

    return call

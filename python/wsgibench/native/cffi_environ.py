"""From a request to the environ of PEP 3333.

A header block that came before has a slot, and the slot the environ of the
last request that carried it: what differs now is put into that dict, and the
application gets a copy of it.
"""

from __future__ import annotations

from typing import Any

from wsgibench.native._cffi import ffi, lib
from wsgibench.native.cffi_file_wrapper import FileWrapper
from wsgibench.native.cffi_input import Input

NO_SLOT = lib.WB_NO_SLOT
#: How many texts of ports are kept before they are thrown away together.
MAX_PORTS = 4096


class Slot:
    """What was made of one header block."""

    __slots__ = ("environ", "id", "line", "minor_version")

    def __init__(
        self, id: int, environ: dict[str, Any], line: bytes, minor: int
    ) -> None:
        self.id = id
        self.environ = environ
        self.line = line  # method, SP, target: as they were sent
        self.minor_version = minor


class EnvironFactory:
    def __init__(
        self, errors: Any, settings: dict[str, Any], threaded: bool
    ) -> None:
        self.threaded = threaded
        self.no_input = Input()
        self.base: dict[str, Any] = {
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": settings["url_scheme"],
            "wsgi.input": self.no_input,
            "wsgi.errors": errors,
            "wsgi.multithread": settings["multithread"],
            "wsgi.multiprocess": settings["multiprocess"],
            "wsgi.run_once": False,
            "wsgi.file_wrapper": FileWrapper,
            "wsgi.input_terminated": True,
            "SERVER_SOFTWARE": "wsgibench/" + settings["version"],
            "SERVER_NAME": settings["server_host"],
            "SERVER_PORT": settings["server_port"],
            "SERVER_PROTOCOL": "HTTP/1.1",
            "SCRIPT_NAME": "",
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "",
            "QUERY_STRING": "",
            "REQUEST_URI": "",
            "REMOTE_ADDR": "",
            "REMOTE_PORT": "",
        }
        self.slots: list[Any] = [None] * lib.WB_SLOTS
        self.ports: dict[int, str] = {0: ""}

    def _port(self, port: int) -> str:
        text = self.ports.get(port)
        if text is None:
            if len(self.ports) > MAX_PORTS:
                self.ports = {0: ""}
            text = self.ports[port] = str(port)
        return text

    def _put_line(self, environ: dict[str, Any], request: Any) -> None:
        base = request.base
        path = request.path
        query = request.query
        target = request.target
        unpack = ffi.buffer
        environ["REQUEST_METHOD"] = unpack(
            base + request.method.off, request.method.len
        )[:].decode("latin-1")
        environ["PATH_INFO"] = unpack(base + path.off, path.len)[:].decode(
            "latin-1"
        )
        environ["QUERY_STRING"] = (
            unpack(base + query.off, query.len)[:].decode("latin-1")
            if query.len
            else ""
        )
        environ["REQUEST_URI"] = unpack(base + target.off, target.len)[
            :
        ].decode("latin-1")
        environ["SERVER_PROTOCOL"] = (
            "HTTP/1.1" if request.minor_version else "HTTP/1.0"
        )

    def _fresh(self, request: Any) -> dict[str, Any]:
        environ = self.base.copy()
        fields = request.fields
        base = fields.base
        spans = fields.spans
        for i in range(0, 2 * fields.count, 2):
            name = spans[i]
            value = spans[i + 1]
            environ[
                ffi.buffer(base + name.off, name.len)[:].decode("latin-1")
            ] = ffi.buffer(base + value.off, value.len)[:].decode("latin-1")
        self._put_line(environ, request)
        return environ

    def _shared(self, request: Any, fields: Any) -> dict[str, Any]:
        target = request.target
        line = ffi.buffer(request.base, target.off + target.len)[:]
        slot = self.slots[fields.slot]
        if slot is None or slot.id != fields.id:
            slot = Slot(
                fields.id, self._fresh(request), line, request.minor_version
            )
            self.slots[fields.slot] = slot
        elif slot.line != line or slot.minor_version != request.minor_version:
            if self.threaded:
                # Another thread may be copying the slot's environ just now.
                environ: dict[str, Any] = slot.environ.copy()
                self._put_line(environ, request)
                return environ
            self._put_line(slot.environ, request)
            slot.line = line
            slot.minor_version = request.minor_version
        shared: dict[str, Any] = slot.environ.copy()
        return shared

    def make(self, request: Any) -> dict[str, Any]:
        fields = request.fields
        if fields.seen < 2 or fields.slot == NO_SLOT:
            environ = self._fresh(request)
        else:
            environ = self._shared(request, fields)
        environ["REMOTE_ADDR"] = ffi.string(request.peer).decode("latin-1")
        environ["REMOTE_PORT"] = self._port(request.peer_port)
        authority = request.authority
        if authority.len:
            # RFC 9112 3.2.2: it overrides the Host field.
            environ["HTTP_HOST"] = ffi.buffer(
                request.base + authority.off, authority.len
            )[:].decode("latin-1")
        if request.variable_count:
            parts = ffi.buffer(request.variables, request.variables_size)[:]
            texts = parts.decode("latin-1").split("\0")
            environ.update(zip(texts[::2], texts[1::2]))
        return environ

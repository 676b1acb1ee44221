"""From a request to the environ of PEP 3333.

Requests with the same field names have a slot, and the slot the environ of the
last of them: what differs now is put into that dict, and the application gets
a copy of it.
"""

from __future__ import annotations

from typing import Any

from wsgibench.native._cffi import ffi, lib
from wsgibench.native.cffi_file_wrapper import FileWrapper
from wsgibench.native.cffi_input import Input

NO_SLOT = lib.WB_NO_SLOT
#: How the numbers of lines are read: unsigned ones are slow on PyPy.
SIGNED = ffi.typeof("int64_t *")
LINES = lib.WB_LINES
#: How many texts of ports are kept before they are thrown away together.
MAX_PORTS = 4096


def unpack_lines(fields: Any, count: int) -> list[int]:
    if not count:
        return []
    lines: list[int] = ffi.unpack(ffi.cast(SIGNED, fields.lines), count)
    return lines


class Slot:
    """What was made of requests that have the same field names."""

    __slots__ = (
        "block",
        "environ",
        "id",
        "keys",
        "line",
        "lines",
        "minor_version",
    )

    def __init__(
        self,
        fields: Any,
        environ: dict[str, Any],
        keys: list[str],
        line: bytes,
        minor: int,
    ) -> None:
        self.id = fields.names.id
        self.environ = environ
        self.keys = keys
        # As of the last request:
        self.block = fields.id
        self.lines = unpack_lines(fields, len(keys))
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
            "SCRIPT_NAME": settings["script_name"],
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "",
            "QUERY_STRING": "",
            "REQUEST_URI": "",
            "REMOTE_ADDR": "",
            "REMOTE_PORT": "",
        }
        self.slots: list[Any] = [None] * lib.WB_SLOTS
        self.values: list[tuple[int, str]] = [(0, "")] * LINES
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

    def _value(self, fields: Any, i: int, line: int) -> str:
        """A value, kept for the lines that the core knows again."""
        kept: tuple[int, str] = self.values[line % LINES]
        if line and kept[0] == line:
            return kept[1]
        text = self._text(fields, i)
        if line:
            self.values[line % LINES] = (line, text)
        return text

    @staticmethod
    def _text(fields: Any, i: int) -> str:
        value = fields.values[i]
        text: str = ffi.unpack(fields.base + value.off, value.len).decode(
            "latin-1"
        )
        return text

    def _fresh(self, request: Any) -> tuple[dict[str, Any], list[str]]:
        environ = self.base.copy()
        keys = []
        fields = request.fields
        names = fields.names
        for i in range(names.count):
            name = names.spans[i]
            key = ffi.buffer(names.base + name.off, name.len)[:].decode(
                "latin-1"
            )
            environ[key] = self._value(fields, i, fields.lines[i])
            keys.append(key)
        self._put_line(environ, request)
        return environ, keys

    def _put_fields(
        self, slot: Slot, environ: dict[str, Any], fields: Any, learn: bool
    ) -> None:
        """Into a copy of the slot's environ, those that differ; learn: into
        the slot's, too, but for a line that the core has not seen before, in
        a block that it has not."""
        keys = slot.keys
        block = fields.id
        before = slot.lines
        lines = unpack_lines(fields, len(keys))
        for i in range(len(keys)):
            line = lines[i]
            if line == 0:
                value = self._text(fields, i)
            elif line != before[i]:
                value = self._value(fields, i, line)
            else:
                continue
            environ[keys[i]] = value
            if learn and (line or block):
                slot.environ[keys[i]] = value
        if learn:
            slot.lines = lines
            slot.block = block

    def _shared(self, request: Any, fields: Any) -> dict[str, Any]:
        target = request.target
        minor = request.minor_version
        line = ffi.buffer(request.base, target.off + target.len)[:]
        place = fields.names.slot
        slot = self.slots[place]
        if slot is None or slot.id != fields.names.id:
            environ, keys = self._fresh(request)
            self.slots[place] = Slot(fields, environ, keys, line, minor)
            return environ.copy()
        block = fields.id
        same_line = slot.line == line and slot.minor_version == minor
        same_block = block != 0 and slot.block == block
        # With threads another may be copying the slot's environ just now.
        learn = not self.threaded
        if learn and not same_line:
            self._put_line(slot.environ, request)
            slot.line = line
            slot.minor_version = minor
        copy: dict[str, Any] = slot.environ.copy()
        if not same_block:
            self._put_fields(slot, copy, fields, learn)
        if not same_line and not learn:
            self._put_line(copy, request)
        return copy

    def make(self, request: Any) -> dict[str, Any]:
        fields = request.fields
        if fields.names.slot == NO_SLOT:
            environ = self._fresh(request)[0]
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

"""LoadGenerator through cffi: the public C interface, as it is."""

from __future__ import annotations

from itertools import accumulate
from typing import Any, Union

from wsgibench.native._cffi import ffi, lib
from wsgibench.native.cffi_errors import raise_code

Piece = Union[bytes, tuple[int, int, int, int, int]]


def _checked(code: int) -> int:
    if code < 0:
        raise_code(code)
    return code


class LoadGenerator:
    def __init__(self, **settings: Any) -> None:
        self._load = ffi.NULL
        config = ffi.new("wl_config *")
        lib.wl_config_init(config)
        fields = dict(ffi.typeof("wl_config").fields)
        kept = []  # alive until wl_new() has copied it
        for name, value in settings.items():
            if name not in fields:
                raise TypeError("LoadGenerator has no setting %r" % name)
            if isinstance(value, str):
                value = ffi.new("char[]", value.encode())
                kept.append(value)
            setattr(config, name, value)
        out = ffi.new("wl_load **")
        code = lib.wl_new(config, out)
        del kept
        _checked(code)
        self._load = out[0]

    def add_pool(
        self, texts: list[bytes], keep: list[int], alias: list[int]
    ) -> int:
        """Its number. keep and alias are empty, or an alias table."""
        pool = ffi.new("wl_pool *")
        text = ffi.from_buffer(b"".join(texts))
        ends = ffi.new("uint32_t[]", list(accumulate(map(len, texts))))
        pool.text, pool.ends, pool.count = text, ends, len(texts)
        kept = ffi.new("uint32_t[]", keep)
        other = ffi.new("uint32_t[]", alias)
        if len(keep) == len(alias) == len(texts):
            pool.keep, pool.alias = kept, other
        return _checked(lib.wl_add_pool(self._open(), pool))

    def add_request(
        self,
        pieces: list[Piece],
        route: int,
        is_head: bool,
        closes: bool,
        check_body: int,
        statuses: list[int],
        body: bytes,
        length: int,
    ) -> int:
        """Its number; a piece is bytes or (kind, width, draw, first, last)."""
        made = ffi.new("wl_piece[]", len(pieces))
        kept = []  # alive until it is copied
        for to, piece in zip(made, pieces):
            if isinstance(piece, bytes):
                kept.append(ffi.from_buffer(piece))
                to.kind, to.text, to.size = lib.WL_TEXT, kept[-1], len(piece)
            else:
                to.kind, to.width, to.draw = piece[:3]
                to.first, to.last = piece[3:]
        request = ffi.new("wl_request *")
        request.pieces, request.piece_count = made, len(pieces)
        request.route, request.is_head = route, is_head
        request.closes = closes
        request.check_body = check_body
        allowed = ffi.new("uint32_t[]", statuses)
        request.statuses, request.status_count = allowed, len(statuses)
        expected = ffi.from_buffer(body)
        request.body = expected
        request.body_size = len(body) if check_body == 1 else length
        number = lib.wl_add_request(self._open(), request)
        del kept, allowed, expected
        return _checked(number)

    def add_stage(self, seconds: float, start: float, end: float) -> int:
        """Requests/s of an open loop."""
        code = lib.wl_add_stage(self._open(), seconds, start, end)
        return _checked(code)

    def set_order(self, numbers: list[int]) -> int:
        """Which request when, over and over."""
        order = ffi.new("uint32_t[]", numbers)
        return _checked(lib.wl_set_order(self._open(), order, len(numbers)))

    @staticmethod
    def has_tls() -> bool:
        return bool(lib.wl_has_tls())

    @staticmethod
    def yardstick() -> int:
        """Nanoseconds of CPU that a fixed piece of work takes now."""
        used: int = lib.wl_yardstick()
        if used == 0:
            raise MemoryError
        return used

    def _open(self) -> Any:
        if not self._load:
            raise ValueError("the load generator is closed")
        return self._load

    def poll(self, timeout: float) -> bool:
        running: int = lib.wl_poll(self._open(), int(timeout * 1000))
        if running < 0:
            raise_code(running)
        return bool(running)

    def set_users(self, number: int) -> int:
        """So many of the connections work."""
        return _checked(lib.wl_set_users(self._open(), number))

    def stop(self) -> None:
        lib.wl_stop(self._open())

    def live(self) -> dict[str, int]:
        live = ffi.new("wl_live *")
        lib.wl_live_now(self._open(), live)
        return {
            name: getattr(live, name)
            for name, _ in ffi.typeof("wl_live").fields
        }

    def result(self) -> str:
        text = ffi.new("char **")
        size = ffi.new("size_t *")
        code = lib.wl_result(self._open(), text, size)
        if code < 0:
            raise_code(code)
        data: bytes = ffi.buffer(text[0], size[0])[:]
        return data.decode("ascii")

    def close(self) -> None:
        load, self._load = self._load, ffi.NULL
        if load:
            lib.wl_free(load)

    def __del__(self) -> None:
        if getattr(self, "_load", ffi.NULL):
            self.close()

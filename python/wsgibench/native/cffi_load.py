"""LoadGenerator through cffi: the public C interface, as it is."""

from __future__ import annotations

from typing import Any

from wsgibench.native._cffi import ffi, lib
from wsgibench.native.cffi_errors import raise_code

#: Filled from the positional arguments, not by name.
OWN = {
    "request",
    "request_size",
    "request_ends",
    "request_count",
    "order",
    "order_count",
    "expect_body",
    "expect_size",
    "expect_ends",
    "expect_count",
}


def _joined(texts: list[bytes]) -> tuple[Any, int, Any, int]:
    """One run of bytes, its size, where each text ends, and how many."""
    ends = []
    size = 0
    for text in texts:
        size += len(text)
        ends.append(size)
    data = ffi.new("char[]", b"".join(texts))
    return data, size, ffi.new("uint32_t[]", ends), len(ends)


class LoadGenerator:
    def __init__(
        self,
        requests: list[bytes],
        bodies: list[bytes],
        order: list[int],
        **settings: Any,
    ) -> None:
        self._load = ffi.NULL
        config = ffi.new("wl_config *")
        lib.wl_config_init(config)
        fields = dict(ffi.typeof("wl_config").fields)
        kept = []  # alive until wl_new() has copied it
        for name, value in settings.items():
            if name not in fields or name in OWN:
                raise TypeError("LoadGenerator has no setting %r" % name)
            if isinstance(value, str):
                value = ffi.new("char[]", value.encode())
                kept.append(value)
            setattr(config, name, value)
        sent, expected = _joined(requests), _joined(bodies)
        turns = ffi.new("uint32_t[]", order)
        config.request, config.request_size = sent[:2]
        config.request_ends, config.request_count = sent[2:]
        config.expect_body, config.expect_size = expected[:2]
        config.expect_ends, config.expect_count = expected[2:]
        config.order, config.order_count = turns, len(order)
        out = ffi.new("wl_load **")
        code = lib.wl_new(config, out)
        del kept, sent, expected, turns
        if code < 0:
            raise_code(code)
        self._load = out[0]

    @staticmethod
    def has_tls() -> bool:
        return bool(lib.wl_has_tls())

    def _open(self) -> Any:
        if not self._load:
            raise ValueError("the load generator is closed")
        return self._load

    def poll(self, timeout: float) -> bool:
        running: int = lib.wl_poll(self._open(), int(timeout * 1000))
        if running < 0:
            raise_code(running)
        return bool(running)

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

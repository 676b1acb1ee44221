"""The cffi binding: what ``contract.NAMES`` says, over the same core.

PyPy's JIT sees one hot Python loop that calls C; there are no callbacks and
no per-request C allocations.
"""

from __future__ import annotations

from typing import Any

from wsgibench.native._cffi import ffi, lib
from wsgibench.native.cffi_load import LoadGenerator
from wsgibench.native.cffi_server import CoreServer

__all__ = ["BINDING", "DEFAULTS", "VERSIONS", "CoreServer", "LoadGenerator"]

BINDING = "cffi"


def _versions() -> str:
    room = ffi.new("char[128]")
    lib.wb_versions(room, 128)
    text: str = ffi.string(room).decode()
    return text


def _defaults() -> dict[str, Any]:
    config = ffi.new("wb_config *")
    lib.wb_config_init(config)
    defaults: dict[str, Any] = {}
    for name, _ in ffi.typeof("wb_config").fields:
        value = getattr(config, name)
        if isinstance(value, ffi.CData):
            value = ffi.string(value).decode() if value else None
        if name != "listen_fd":
            defaults[name] = value
    return defaults


VERSIONS = _versions()
DEFAULTS = _defaults()

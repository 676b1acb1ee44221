"""Codes of the core as exceptions, and the log of the application's."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Any

from wsgibench.native._cffi import ffi, lib


def raise_code(code: int) -> None:
    text = ffi.string(lib.wb_strerror(code)).decode()
    if code == lib.WB_NOMEM:
        raise MemoryError
    if code == lib.WB_GONE:
        raise ConnectionResetError(text)
    if code == lib.WB_INVALID:
        raise ValueError(text)
    if code in (lib.WB_STATE, lib.WB_OVER, lib.WB_FORKED):
        raise RuntimeError(text)
    if -4096 < code < 0:
        raise OSError(-code, os.strerror(-code))
    raise OSError(text)


def _request_text(request: Any) -> str:
    """"GET /path", as it was sent."""
    if request is None:
        return "a request that is answered"
    base, method, target = request.base, request.method, request.target
    parts = (
        ffi.buffer(base + method.off, method.len)[:],
        ffi.buffer(base + target.off, target.len)[:],
    )
    return b" ".join(parts).decode("latin-1")


def log_exception(stream: Any, request: Any = None) -> None:
    """The exception being handled. A log that fails must not fail the
    server."""
    kind, error, trace = sys.exc_info()
    try:
        tell = getattr(stream, "log_exception", None)
        if tell is not None:
            tell(_request_text(request), error)
        else:
            traceback.print_exception(kind, error, trace, file=stream)
    except Exception:
        pass
    finally:
        del kind, error, trace


def log_line(stream: Any, text: str) -> None:
    try:
        print(text, file=stream)
    except Exception:
        pass

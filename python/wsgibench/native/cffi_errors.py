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


def raise_again(exc_info: Any) -> None:
    """As an application gives it to start_response."""
    if (
        not isinstance(exc_info, tuple)
        or len(exc_info) != 3
        or not isinstance(exc_info[0], type)
        or not issubclass(exc_info[0], BaseException)
    ):
        raise TypeError("exc_info must be what sys.exc_info() returned")
    kind, error, trace = exc_info
    if not isinstance(error, BaseException):
        error = kind() if error is None else kind(error)
    raise error.with_traceback(trace)


def raise_head(code: int, head: Any) -> None:
    """As raise_code(), for a ``wb_head *`` that the core refused: names the
    part."""
    if code != lib.WB_INVALID:
        raise_code(code)
    size = ffi.new("size_t *")
    refused = lib.wb_head_refused(head, size)
    if refused == ffi.NULL:
        raise ValueError("these response headers cannot be sent together")
    text = ffi.buffer(refused, size[0])[:].decode("latin-1")
    if refused == head.status:
        raise ValueError("the status %r cannot be sent" % text)
    raise ValueError(
        "the response header %r cannot be sent: its name or value is not "
        "HTTP, or the server's to give" % text
    )


def _request_text(request: Any) -> str:
    """The request line without its version: GET /path."""
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

"""CoreServer: one core server and the application it serves."""

from __future__ import annotations

import itertools
import sys
from typing import Any

from wsgibench import __version__
from wsgibench.native._cffi import ffi, lib
from wsgibench.native.cffi_call import Call, Head, encode_head
from wsgibench.native.cffi_environ import EnvironFactory
from wsgibench.native.cffi_errors import log_exception, raise_code
from wsgibench.native.cffi_input import Input
from wsgibench.native.contract import Application

MAX_PER_TURN = 1024
#: A poll is no longer than this, so that signal handlers run: cffi calls do
#: not return for a signal.
LONGEST_POLL_MS = 1000
MAX_HEADS = 256
NULL = ffi.NULL

#: What the environ says of the server; anything else is a core setting.
EXTRAS = {
    "server_host": "",
    "server_port": "",
    "url_scheme": "http",
    "multithread": False,
    "multiprocess": False,
    "error_stream": None,
}


def _milliseconds(timeout: float | None) -> int:
    if timeout is None:
        return -1
    if not 0 <= timeout <= 1e6:
        raise ValueError("a timeout is between 0 and 1e6 seconds, or None")
    return int(timeout * 1000 + 0.999)


class CoreServer:
    def __init__(
        self, app: Application, listen_fd: int, **settings: Any
    ) -> None:
        extras = {
            name: settings.pop(name, value) for name, value in EXTRAS.items()
        }
        self._core = NULL
        self.app = app
        self.errors = extras["error_stream"] or sys.stderr
        config, kept = self._config(listen_fd, settings)
        self.threaded = bool(config.threaded)
        self._environs = EnvironFactory(
            self.errors, dict(extras, version=__version__), self.threaded
        )
        self._suspended: dict[int, Call] = {}  # waiting for WB_RESUME
        self._aside: list[Call] = []  # gave way to others
        self._heads: dict[Any, Head] = {}
        self._blocks: dict[int, Any] = {}  # kept by the core, by owner
        self._numbers = itertools.count(1)
        out = ffi.new("wb_server **")
        code = lib.wb_server_new(config, out)
        del kept
        if code < 0:
            raise_code(code)
        self._core = out[0]

    @staticmethod
    def _config(listen_fd: int, settings: dict[str, Any]) -> tuple[Any, Any]:
        config = ffi.new("wb_config *")
        lib.wb_config_init(config)
        kept = []  # C strings, alive until the core has copied them
        fields = dict(ffi.typeof("wb_config").fields)
        for name, value in settings.items():
            if name not in fields or name == "listen_fd":
                raise TypeError("CoreServer has no setting %r" % name)
            if isinstance(value, str):
                value = ffi.new("char[]", value.encode())
                kept.append(value)
            setattr(config, name, NULL if value is None else value)
        config.listen_fd = listen_fd
        return config, kept

    # Serving -------------------------------------------------------------

    def encode(self, status: Any, headers: Any) -> Head:
        """As ``encode_head``, remembering the few heads that come again."""
        try:
            key = (status, tuple(headers))
            head = self._heads.get(key)
        except TypeError:
            return encode_head(status, headers)
        if head is None or type(headers) is not list:
            head = encode_head(status, headers)
            if len(self._heads) >= MAX_HEADS:
                self._heads.clear()
            self._heads[key] = head
        return head

    def keep(self, block: bytes) -> tuple[Any, Any]:
        """The block's bytes, and the owner that the core may take."""
        number = next(self._numbers)
        data = self._blocks[number] = ffi.from_buffer(block)
        return data, ffi.new("void **", ffi.cast("void *", number))

    def kept(self, owner: Any) -> None:
        """After the core's call: did it take the owner?"""
        if owner[0]:
            del self._blocks[int(ffi.cast("uintptr_t", owner[0]))]

    def _release_blocks(self, core: Any) -> None:
        while True:
            owner = lib.wb_server_released(core)
            if not owner:
                return
            del self._blocks[int(ffi.cast("uintptr_t", owner))]

    def suspend(self, call: Call) -> None:
        self._suspended[int(ffi.cast("uintptr_t", call.request))] = call

    def put_aside(self, call: Call) -> None:
        self._aside.append(call)

    def _answer(self, request: Any) -> None:
        if request.event:  # WB_RESUME
            address = int(ffi.cast("uintptr_t", request))
            self._suspended.pop(address).go_on()
            return
        call = Call(self, request)
        try:
            environ = self._environs.make(request)
            if request.content_length or request.chunked:
                call.input = Input(request)
                environ["wsgi.input"] = call.input
                if request.chunked and request.content_length >= 0:
                    environ["CONTENT_LENGTH"] = str(request.content_length)
            result = self.app(environ, call)
        except BaseException:
            call.fail()
            return
        call.answer(result)

    def _go_on(self) -> int:
        calls, self._aside = self._aside, []
        for call in calls:
            call.go_on()
        return len(calls)

    def turn(self, timeout: float | None) -> int:
        timeout_ms = _milliseconds(timeout)
        core = self._open()
        if self._aside:
            timeout_ms = 0
        ready = lib.wb_server_poll(core, timeout_ms)
        self._release_blocks(core)
        if ready < 0:
            if ready == lib.WB_STOPPED:
                return -1
            raise_code(ready)
        served = 0
        answer = self._answer
        while served < MAX_PER_TURN:
            request = lib.wb_server_take(core)
            if not request:
                break
            answer(request)
            served += 1
        if self._aside:
            served += self._go_on()
        return served

    def run(self) -> None:
        while self.turn(LONGEST_POLL_MS / 1000) >= 0:
            pass

    def run_loop(self) -> None:
        lib.wb_server_run(self._open())

    def run_worker(self) -> None:
        core = self._open()
        while not lib.wb_server_stopped(core):
            request = lib.wb_server_wait(core, 1000)
            if request:
                self._answer(request)
            self._release_blocks(core)

    def canned(self, response: bytes) -> None:
        core = self._open()
        data = ffi.from_buffer(response)
        while True:
            code = lib.wb_server_canned(core, data, len(response), 100)
            if code == lib.WB_STOPPED:
                return
            if code < 0:
                raise_code(code)

    # The rest -------------------------------------------------------------

    def _open(self) -> Any:
        if not self._core:
            raise ValueError("the server is closed")
        return self._core

    def wake(self) -> None:
        if self._core:
            lib.wb_server_wake(self._core)

    def wake_fd(self) -> int:
        fd: int = lib.wb_server_wake_fd(self._open())
        if fd < 0:
            raise_code(fd)
        return fd

    def stop(self, grace: float | None) -> None:
        grace_ms = _milliseconds(grace)
        if self._core:
            lib.wb_server_stop(
                self._core, 2**31 - 1 if grace_ms < 0 else grace_ms
            )

    @property
    def stopped(self) -> bool:
        return not self._core or bool(lib.wb_server_stopped(self._core))

    def fileno(self) -> int:
        fd: int = lib.wb_server_fileno(self._open())
        return fd

    def timeout(self) -> float | None:
        if self._aside:
            return 0.0
        timeout_ms = lib.wb_server_timeout(self._open())
        return None if timeout_ms < 0 else timeout_ms / 1000

    def stats(self) -> dict[str, int]:
        stats = ffi.new("wb_stats *")
        lib.wb_server_stats(self._open(), stats)
        return {
            name: getattr(stats, name)
            for name, _ in ffi.typeof("wb_stats").fields
        }

    def metrics(self) -> dict[str, Any]:
        metrics = ffi.new("wb_metrics *")
        lib.wb_server_metrics(self._open(), metrics)
        return {
            "bounds_us": list(metrics.bounds_us),
            "queue": list(metrics.queue),
            "queue_us": metrics.queue_us,
            "duration": [list(row) for row in metrics.duration],
            "duration_us": list(metrics.duration_us),
            "statuses": list(metrics.statuses),
        }

    def turns(self) -> int:
        return lib.wb_server_turns(self._core) if self._core else 0

    def log_flush(self) -> None:
        if self._core:
            lib.wb_server_log_flush(self._core)

    def tls_reload(self) -> None:
        code = lib.wb_server_tls_reload(self._open())
        if code < 0:
            raise_code(code)

    def close(self) -> None:
        core, self._core = self._core, NULL
        if not core:
            return
        for call in [*self._aside, *self._suspended.values()]:
            try:
                lib.wb_request_abort(call.request)
                call._end()
            except BaseException:
                log_exception(self.errors)
        self._aside = []
        self._suspended = {}
        lib.wb_server_close(core)
        self._release_blocks(core)
        lib.wb_server_free(core)

    def __del__(self) -> None:
        if getattr(self, "_core", NULL):
            self.close()

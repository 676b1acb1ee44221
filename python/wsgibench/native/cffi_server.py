"""CoreServer: one core server and the application it serves."""

from __future__ import annotations

import itertools
import os
import sys
import time
from typing import Any

from wsgibench import __version__
from wsgibench.native._cffi import ffi, lib
from wsgibench.native.cffi_call import LEAVING, Call
from wsgibench.native.cffi_environ import EnvironFactory
from wsgibench.native.cffi_errors import log_exception, raise_code
from wsgibench.native.cffi_head import Head, encode_head
from wsgibench.native.cffi_input import Input
from wsgibench.native.contract import Application
from wsgibench.native.unpatched import original

MAX_PER_TURN = 1024
new_lock = original("_thread", "RLock")
get_ident = original("_thread", "get_ident")
#: A poll is no longer than this, so that signal handlers run: cffi calls do
#: not return for a signal.
LONGEST_POLL_MS = 1000
#: What is under way in other threads when the server is closed has so long.
CLOSE_MS = 1000
MAX_HEADS = 256
NULL = ffi.NULL

#: What the environ says of the server; anything else is a core setting.
EXTRAS = {
    "server_host": "",
    "server_port": "",
    "url_scheme": "http",
    "script_name": "",
    "multithread": False,
    "multiprocess": False,
    "error_stream": None,
    "on_upgrade": None,
    "on_close": None,
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
        #: Calls that wait, by their request: for WB_RESUME, or for others,
        #: to which they gave way (``_aside``).
        self.waiting: dict[int, Call] = {}
        self._aside: list[Call] = []
        self.current: Call | None = None  # whose application runs
        #: Threads of the application that are on their way into the core
        #: increment it, and hold the gate: see Call.hold().
        self.holders = 0
        self.gate: Any = new_lock()
        self._lock: Any = new_lock()  # see _locked()
        self._pid = os.getpid()
        self._users = 0  # methods under way that turn the loop or serve
        self._user = 0  # the thread that called the last of them
        self._closing = False  # as soon as there are no users
        self.stopping = False  # stop() or close() was called
        self._on_close = extras["on_close"]
        self._on_upgrade = extras["on_upgrade"] if self.threaded else None
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
        self.waiting[int(ffi.cast("uintptr_t", call.request))] = call

    def put_aside(self, call: Call) -> None:
        self.suspend(call)
        self._aside.append(call)

    def _answer(self, request: Any) -> None:
        if request.event:  # WB_RESUME
            self._resume(request)
            return
        call = Call(self, request)
        with call:
            try:
                environ = self._environs.make(request)
                if request.content_length or request.chunked:
                    call.input = Input(call)
                    environ["wsgi.input"] = call.input
                    if request.chunked and request.content_length >= 0:
                        environ["CONTENT_LENGTH"] = str(request.content_length)
                if request.upgrade and not request.tls and self._on_upgrade:
                    self._on_upgrade(environ, call.detach)
            except BaseException:
                call.fail()
            else:
                call.serve(environ)

    def _resume(self, request: Any) -> None:
        call = self.waiting.pop(int(ffi.cast("uintptr_t", request)))
        call.server = self
        with call:
            call.go_on()

    def _go_on(self) -> int:
        """Only those there now: each may come back to the end of the list."""
        served = 0
        for _ in range(len(self._aside)):
            if self._closing or not self._aside:
                break
            self._resume(self._aside.pop(0).request)
            served += 1
        return served

    def _turn(self, timeout_ms: int) -> int:
        core = self._core
        if self._aside:
            timeout_ms = 0
        ready = lib.wb_server_poll(core, timeout_ms)
        self._release_blocks(core)
        if self._closing or ready == lib.WB_STOPPED:
            return -1
        if ready < 0:
            raise_code(ready)
        served = 0
        answer = self._answer
        while served < MAX_PER_TURN and not self._closing:
            request = lib.wb_server_take(core)
            if not request:
                break
            served += 1
            answer(request)
        if self._aside and not self._is_forked():
            served += self._go_on()
        return -1 if self._closing else served

    def poll(self) -> None:
        """Whatever is due, by a thread that serves."""
        lib.wb_server_poll(self._core, 0)

    def turn(self, timeout: float | None) -> int:
        timeout_ms = _milliseconds(timeout)
        self._enter()
        try:
            return self._turn_for(timeout_ms)
        finally:
            self._leave()

    def _turn_for(self, timeout_ms: int) -> int:
        """As _turn(), which is called again while nothing but the time has
        passed."""
        while True:
            poll_ms = min(timeout_ms, LONGEST_POLL_MS)
            if timeout_ms < 0:
                poll_ms = LONGEST_POLL_MS
            began = time.monotonic()
            served = self._turn(poll_ms)
            if served or (time.monotonic() - began) * 1000 < poll_ms:
                return served
            timeout_ms -= poll_ms if timeout_ms > 0 else 0
            if not timeout_ms:
                return 0

    def run(self) -> None:
        self._enter()
        try:
            while self._turn(LONGEST_POLL_MS) >= 0:
                pass
        finally:
            self._leave()

    def stand_by(self) -> None:
        self._enter()
        try:
            code = lib.wb_server_run(self._core)
            if code < 0:
                raise_code(code)
        finally:
            self._leave()

    def canned(self, response: bytes) -> None:
        data = ffi.from_buffer(response)
        self._enter()
        try:
            while not self._closing:
                code = lib.wb_server_canned(
                    self._core, data, len(response), 100
                )
                if code == lib.WB_STOPPED:
                    return
                if code < 0:
                    raise_code(code)
        finally:
            self._leave()

    # In use, or closed ----------------------------------------------------

    def _locked(self) -> Any:
        """For what any thread may call: the core is not closed meanwhile.
        Whoever had it when the process was forked is not in the child."""
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._lock = new_lock()
            self.gate = new_lock()
            self.holders = 0
        return self._lock

    def _open(self) -> Any:
        if not self._core:
            raise ValueError("the server is closed")
        return self._core

    def _is_forked(self) -> bool:
        return bool(lib.wb_server_fileno(self._core) == lib.WB_FORKED)

    def _enter(self) -> None:
        """Before a method that turns the loop or serves; _leave() is its
        end."""
        thread = get_ident()
        with self._locked():
            if not self._core or self._closing:
                raise ValueError("the server is closed")
            if not self.threaded and self._users:
                if self._user != thread:
                    raise RuntimeError("another thread is turning this server")
                # The application turns its own server: while that is in the
                # core, helper threads of its calls may come there, too.
                call = self.current
                while call is not None:
                    call.hold_until_the_end()
                    call = call.outer
            self._users += 1
            self._user = thread

    def _leave(self) -> None:
        with self._locked():
            self._users -= 1
            last = not self._users and self._closing
        if last:
            self._close_core()

    def _close_core(self) -> None:
        """No thread is in the core. Clients are cut off, and the close() of
        each call that waited is called. Those that a forked child has
        inherited are its parent's."""
        with self._locked():
            core, self._core = self._core, NULL
            if not core:
                return
            self._closing = True
            calls = list(self.waiting.values())
            if lib.wb_server_fileno(core) == lib.WB_FORKED:
                for call in calls:
                    call.disown()
                calls = []
            self.waiting = {}
            self._aside = []
            for call in calls:
                call.server = self
                call.take()  # closing the core ends all requests
            lib.wb_server_close(core)
        leaving: BaseException | None = None
        for call in calls:
            try:
                call.end()
            except BaseException as error:
                leaving = leaving or error
            call.server = None
        self._release_blocks(core)
        lib.wb_server_free(core)
        on_close, self._on_close = self._on_close, None
        if on_close is not None:
            try:
                on_close()
            except LEAVING as error:
                leaving = leaving or error
            except BaseException:
                log_exception(self.errors)
        if leaving is not None:
            raise leaving

    def close(self) -> None:
        with self._locked():
            if not self._core:
                return
            if self._users:
                self._closing = self.stopping = True
                if self._is_forked():
                    lib.wb_server_close(self._core)  # its own descriptors
                else:
                    lib.wb_server_stop(self._core, CLOSE_MS)  # wakes, too
                return
        self._close_core()

    def __del__(self) -> None:
        if getattr(self, "_core", NULL):
            self._close_core()

    # The rest -------------------------------------------------------------

    def wake(self) -> None:
        with self._locked():
            if self._core:
                lib.wb_server_wake(self._core)

    def wake_fd(self) -> int:
        fd: int = lib.wb_server_wake_fd(self._open())
        if fd < 0:
            raise_code(fd)
        return fd

    def stop(self, grace: float | None) -> None:
        grace_ms = _milliseconds(grace)
        with self._locked():
            if self._core:
                self.stopping = True
                lib.wb_server_stop(
                    self._core, 2**31 - 1 if grace_ms < 0 else grace_ms
                )

    @property
    def stopped(self) -> bool:
        with self._locked():
            return (
                not self._core
                or self._closing
                or bool(lib.wb_server_stopped(self._core))
            )

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
        with self._locked():
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
        with self._locked():
            return lib.wb_server_turns(self._core) if self._core else 0

    def tls_reload(self) -> None:
        with self._locked():
            code = lib.wb_server_tls_reload(self._open())
        if code < 0:
            raise_code(code)

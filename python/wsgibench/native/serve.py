"""serve(): run a server until a signal ends it (signals.py says which).

An application that is given as an object, with one worker, is served in this
process. Everything else has a supervisor, whose workers import it: also one
worker alone, so that it can be replaced while it finishes what is under way.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import tempfile
import threading
from typing import Any

from wsgibench import native
from wsgibench.errors import UsageError, WsgibenchError
from wsgibench.native import gil, identity, log, signals, sockets
from wsgibench.native.contract import Application
from wsgibench.native.loading import load_app
from wsgibench.native.notify import Notifier
from wsgibench.native.observation import Observation
from wsgibench.native.options import NAMES, Options
from wsgibench.native.server import make_core
from wsgibench.native.service import Listeners, Service
from wsgibench.native.workers import MAX_PLACES, MAX_WORKERS, Supervisor


def _count_workers(workers: str | int) -> int:
    if workers == "auto":
        return identity.cpus()
    try:
        count = int(workers)
    except ValueError as error:
        raise UsageError(
            "workers is a number or auto, not %r." % workers
        ) from error
    if not 1 <= count <= MAX_WORKERS:
        raise UsageError(
            "workers must be 1 to %d, not %d." % (MAX_WORKERS, count)
        )
    return count


def _open_listeners(
    listeners: Listeners,
    options: Options,
    loops: int,
    who: identity.Identity,
) -> None:
    """loops: of all workers. The file of a unix socket is the workers', as
    with gunicorn."""
    permissions = None if who.umask is None else 0o777 & ~who.umask
    if options.uds_mode is not None:
        permissions = identity.octal(options.uds_mode, "uds_mode")
    addresses = sockets.from_systemd()
    if addresses and options.bind:
        log.logger.warning(
            "the sockets of LISTEN_FDS are served instead of %s",
            ", ".join(options.bind),
        )
    given: list[str | None] = [*(addresses or options.bind)]
    sockets.check_paths(given)
    for bind in given or [None]:
        found = [
            sockets.open_listener(
                options.host,
                options.port,
                bind,
                reuse_port=options.reuse_port,
                uds_mode=permissions,
            )
        ]
        ours = not sockets.is_inherited(bind)
        path = sockets.path_of(found[0])
        if ours and path is not None:
            who.own(path)
        if options.reuse_port and ours and sockets.is_tcp(found[0]):
            host, port = found[0].getsockname()[:2]
            found += [
                sockets.listen_tcp(host, port, reuse_port=True)
                for _ in range(loops - 1)
            ]
        listeners.add(found, ours)


def _listen(listeners: Listeners, settings: dict[str, Any]) -> None:
    """Before the workers are there, so that no client is refused; and kept
    open, so that who waits for a dead one is served by the next."""
    backlog = settings.get("backlog")
    if backlog is None:
        backlog = native.binding().DEFAULTS["backlog"]
    if backlog >= 0:
        for listener in listeners.all():
            try:
                listener.listen(backlog)
            except OSError as error:  # the same address twice
                raise WsgibenchError(
                    "cannot listen on %s: %s."
                    % (sockets.describe(listener), error.strerror)
                ) from error


def _try_settings(options: Options, settings: dict[str, Any]) -> None:
    with socket.socket() as spare:
        make_core(
            lambda environ, start_response: [],
            spare,
            threads=options.threads,
            settings={**settings, "backlog": -1},
        ).close()


def _check(service: Service, settings: dict[str, Any]) -> None:
    """What every worker would fail of is told once, here."""
    service.prepare_log()
    _try_settings(service.options, settings)
    folder = settings.get("temp_dir") or os.environ.get("TMPDIR") or "/tmp"

    def keep_a_body() -> str:
        try:
            with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
                file.write(bytes(4096))
        except OSError as error:
            return str(error.strerror)
        return ""

    reason = service.identity.ask(keep_a_body)
    if reason:
        raise WsgibenchError(
            "large bodies cannot be kept in temp_dir %s: %s."
            % (folder, reason)
        )


def _warn_of_gil(options: Options) -> None:
    if options.loops > 1 and gil.is_on():
        log.logger.warning(
            "loops=%d take turns, for this Python has its GIL on: workers=%d "
            "use as many CPUs.",
            options.loops,
            options.loops,
        )


def _supervise(service: Service, notifier: Notifier) -> None:
    options, listeners = service.options, service.listeners
    if options.preload and isinstance(service.app, str):
        service.app = load_app(service.app, ".", options.factory)
    _listen(listeners, service.settings)
    told = False

    def on_ready() -> None:
        nonlocal told
        if not told:
            service.announce()
        told = True

    Supervisor(
        service.run_worker,
        workers=service.workers,
        grace=options.grace,
        hang_timeout=options.hang_timeout,
        drain_delay=options.drain_delay,
        least=max(len(each) for each in listeners.addresses),
        on_stop=listeners.close,
        on_ready=on_ready,
        on_reopen=service.reopen_logs,
        on_end=service.observation.retire,
        notifier=notifier,
    ).run()


def _settle_in(options: Options) -> None:
    """What an application finds when it is imported."""
    if options.chdir is not None:
        try:
            os.chdir(options.chdir)
        except OSError as error:
            raise UsageError(
                "cannot change to %s: %s." % (options.chdir, error.strerror)
            ) from error
    for pair in options.env:
        name, _, value = pair.partition("=")
        os.environ[name] = value
    if options.pythonpath is not None:
        for directory in (".", *reversed(options.pythonpath.split(","))):
            sys.path.insert(0, os.path.abspath(directory.strip()))
    identity.name_process(options.proc_name)


def _run(
    app: Application | str,
    options: Options,
    settings: dict[str, Any],
    announce: bool,
) -> None:
    workers = _count_workers(options.workers)
    if not isinstance(app, str) and not callable(app):
        raise UsageError("the application %r is not callable." % (app,))
    _warn_of_gil(options)
    notifier = Notifier()
    with contextlib.ExitStack() as stack:
        stack.enter_context(signals.starting())
        stack.enter_context(identity.pid_file(options.pid))
        who = identity.Identity(options.user, options.group, options.umask)
        listeners = Listeners()
        stack.callback(listeners.close)
        _open_listeners(listeners, options, workers * options.loops, who)
        observation = Observation(
            MAX_PLACES,
            options.metrics,
            options.statsd_host,
            options.statsd_prefix,
            options.dogstatsd_tags,
        )
        stack.callback(observation.close)
        if observation.wanted:
            settings = {"measure": 1, **settings}
        service = Service(
            app, listeners, options, who, workers, settings, observation
        )
        service.announces = announce
        _check(service, settings)
        if options.capture_output:
            log.capture()
        supervised = (
            isinstance(app, str)
            or workers > 1
            or options.hang_timeout
            or options.max_requests
        )
        if supervised:
            _supervise(service, notifier)
        else:
            service.run_alone(app, notifier)  # type: ignore[arg-type]


def check(app: str, **settings: Any) -> None:
    """As far as serve() can be tried without listening or writing anything:
    WsgibenchError for what is wrong."""
    given = {name: settings.pop(name) for name in NAMES if name in settings}
    options = Options(**given)
    options.check()
    _count_workers(options.workers)
    identity.Identity(options.user, options.group, options.umask)
    _settle_in(options)
    _try_settings(options, settings)
    load_app(app, ".", options.factory)


def serve(
    app: Application | str,
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    bind: str | list[str] | None = None,
    announce: bool = False,
    **settings: Any,
) -> None:
    """Serve ``app`` until SIGTERM or SIGINT.

    ``app`` is an application, or ``"module:app"``: only that can be loaded
    again (SIGHUP). The keywords are those of ``options.Options`` and
    ``settings.SETTINGS``, which say what each is; ``announce`` writes the
    address to the error log. Raises WsgibenchError if it cannot start.
    """
    given = {name: settings.pop(name) for name in NAMES if name in settings}
    given.update(host=host, port=port)
    if bind is not None:
        given["bind"] = [bind] if isinstance(bind, str) else list(bind)
    options = Options(**given)
    options.check()
    if threading.current_thread() is not threading.main_thread():
        raise UsageError(
            "serve() handles signals, which only the main thread can; "
            "use wsgibench.Server here."
        )
    _settle_in(options)  # files of logs are named from there, too
    if {"log_level", "error_log", "log_config"} & given.keys():
        log.configure(options.log_level, options.error_log, options.log_config)
    else:
        log.configure_by_default()
    try:
        _run(app, options, settings, announce)
    except signals.Ended as signal:
        log.logger.info("%s: stopping", signal)

"""``python -m wsgibench serve module:app``."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from wsgibench.errors import WsgibenchError

if TYPE_CHECKING:
    from wsgibench.native.contract import Application

HELP = "serve a WSGI application"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from wsgibench.native.settings import SETTINGS

    add = parser.add_argument
    add("app", metavar="MODULE:APP", help="the application, as an import")
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=8000, help="0 picks a free one")
    add("--bind", help="HOST:PORT, unix:/path, unix:@name or fd://N")
    add("--threads", type=int, default=0, help="0: in the loop's own thread")
    add("--workers", type=int, default=1, help="processes")
    add(
        "--reuse-port",
        action="store_true",
        help="SO_REUSEPORT; with workers, a listening socket for each",
    )
    add("--grace", type=float, default=30.0, help="seconds to finish work")
    add(
        "--hang-timeout",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="end and replace a worker that is stuck for so long (0: never)",
    )
    add(
        "--reload",
        action="store_true",
        help="start again when a source file changes; for development",
    )
    add("--access-log", metavar="FILE", help="- is standard output")
    add("--log-format", choices=["common", "combined"], default="common")
    add("--chdir", default=".", help="where MODULE is looked for first")
    for setting in SETTINGS:
        add(
            "--" + setting.name.replace("_", "-"),
            type=str if setting.text else float if setting.seconds else int,
            help=setting.help,
        )


def run(arguments: argparse.Namespace) -> int:
    if arguments.reload:
        return run_reloading(arguments)
    from wsgibench.native.loading import load_app

    run_app(arguments, load_app(arguments.app, arguments.chdir))
    return 0


def run_reloading(arguments: argparse.Namespace) -> int:
    """In the parent, then again in the child."""
    from wsgibench.native import reload
    from wsgibench.native.loading import find_file, load_app

    bind = reload.inherited_bind()
    if bind is None:
        return reload.run_again_and_again(
            sys.argv[1:], arguments.host, arguments.port, arguments.bind
        )
    arguments.bind = bind
    try:
        app = load_app(arguments.app, arguments.chdir)
    except WsgibenchError as error:
        print("wsgibench: %s Waiting for a change." % error, file=sys.stderr)
        reload.wait_for_change(find_file(arguments.app, arguments.chdir))
        return reload.CHANGED
    watcher = reload.Watcher()
    watcher.start()
    run_app(arguments, app)
    return reload.CHANGED if watcher.changed else 0


def run_app(arguments: argparse.Namespace, app: Application) -> None:
    from wsgibench.native.serve import serve
    from wsgibench.native.settings import SETTINGS

    settings = {
        setting.name: getattr(arguments, setting.name)
        for setting in SETTINGS
    }
    serve(
        app,
        arguments.host,
        arguments.port,
        bind=arguments.bind,
        threads=arguments.threads,
        workers=arguments.workers,
        reuse_port=arguments.reuse_port,
        grace=arguments.grace,
        hang_timeout=arguments.hang_timeout,
        access_log=arguments.access_log,
        log_format=arguments.log_format,
        announce=True,
        **settings,
    )

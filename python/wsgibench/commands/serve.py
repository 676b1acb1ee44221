"""``python -m wsgibench serve module:app``."""

from __future__ import annotations

import argparse

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
    add("--reuse-port", action="store_true")
    add("--grace", type=float, default=30.0, help="seconds to finish work")
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
    from wsgibench.native.loading import load_app
    from wsgibench.native.serve import serve
    from wsgibench.native.settings import SETTINGS

    app = load_app(arguments.app, arguments.chdir)
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
        access_log=arguments.access_log,
        log_format=arguments.log_format,
        announce=True,
        **settings,
    )
    return 0

"""``python -m wsgibench serve module:app``."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import fields
from typing import Any

from wsgibench.errors import UsageError, WsgibenchError

HELP = "serve a WSGI application"
#: Other servers' names for the same.
ALSO = {
    "bind": ["-b"],
    "uds_mode": ["--uds-permissions"],
    "workers": ["-w"],
    "max_requests": ["--limit-max-requests"],
    "max_requests_jitter": ["--limit-max-requests-jitter"],
    "hang_timeout": ["-t", "--timeout"],
    "pid": ["-p", "--pid-file"],
    "user": ["-u"],
    "group": ["-g"],
    "umask": ["-m"],
    "chdir": ["--working-dir"],
    "env": ["-e"],
    "pythonpath": ["--app-dir"],
    "proc_name": ["-n", "--name", "--process-name"],
    "grace": ["--graceful-timeout", "--timeout-graceful-shutdown"],
    "access_log": ["--access-logfile"],
    "log_format": [
        "--access-log-format",
        "--access-logformat",
        "--access-log-fmt",
    ],
    "error_log": ["--error-logfile", "--log-file"],
    "max_line": ["--limit-request-line"],
    "max_fields": ["--limit-request-fields"],
    "max_field": ["--limit-request-field_size"],
    "max_connections": ["--worker-connections"],
    "idle_timeout": ["--keep-alive", "--timeout-keep-alive"],
    "proxy_allow_ips": ["--proxy-allow-from"],
    "root_path": ["--url-path-prefix"],
    "certfile": ["--ssl-certfile", "--ssl-certificate"],
    "keyfile": ["--ssl-keyfile"],
    "keyfile_password": ["--ssl-keyfile-password"],
    "ca_certs": ["--ssl-ca-certs"],
    "cert_reqs": ["--ssl-cert-reqs"],
    "ciphers": ["--ssl-ciphers"],
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from wsgibench.native.options import Options
    from wsgibench.native.settings import SETTINGS

    # Only what is given is there afterwards: it goes before the file.
    parser.argument_default = argparse.SUPPRESS
    add = parser.add_argument
    add(
        "app",
        metavar="MODULE:APP",
        nargs="?",
        help="the application, as an import; or module:create_app()",
    )
    add(
        "--config",
        metavar="FILE",
        help="TOML; default: wsgibench.toml, or "
        "[tool.wsgibench.serve] of pyproject.toml",
    )
    add(
        "--print-config",
        action="store_true",
        help="say what would be used, and where it comes from",
    )
    add(
        "--check-config",
        action="store_true",
        help="try the options and import the application, then end",
    )
    defaults = Options()
    for each in fields(Options):
        _add_option(parser, each.name, getattr(defaults, each.name), each)
    for setting in SETTINGS:
        add(
            *_flags(setting.name),
            dest=setting.name,
            type=str if setting.text else float if setting.seconds else int,
            help=setting.help,
        )


def _flags(name: str) -> list[str]:
    return ["--" + name.replace("_", "-"), *ALSO.get(name, [])]


def _add_option(
    parser: argparse.ArgumentParser, name: str, default: Any, field: Any
) -> None:
    more = dict(field.metadata)
    text = more.pop("help")
    if isinstance(default, bool):
        more["action"] = argparse.BooleanOptionalAction
    elif isinstance(default, list):
        more["action"] = "append"
    else:
        more["type"] = str if default is None else type(default)
        if name == "workers":
            more["type"] = str
        if default not in (None, "", "-") and "choices" not in more:
            text = "%s (default: %s)" % (text, default)
    # argparse takes a percent sign for one of its own.
    text = text.replace("%", "%%")
    parser.add_argument(*_flags(name), dest=name, help=text, **more)


def run(arguments: argparse.Namespace) -> int:
    from wsgibench.native import config
    from wsgibench.native.options import Options

    values = config.gather(vars(arguments), os.environ)
    given = {name: value.value for name, value in values.items()}
    if vars(arguments).get("print_config"):
        config.check(given)
        sys.stdout.write(config.describe(values, _defaults()))
        return 0
    app = given.pop("app", None)
    if app is None:
        raise UsageError("which application? Give MODULE:APP.")
    if vars(arguments).get("check_config"):
        from wsgibench.native.serve import check

        check(app, **given)
        print("The options are right, and %s can be imported." % app)
        return 0
    for name in ("log_level", "error_log", "log_config"):
        given.setdefault(name, getattr(Options(), name))

    from wsgibench.native.serve import serve

    serve(app, announce=True, **given)
    return 0


def default_text(name: str) -> str:
    """For --help; the core's own defaults are known once it is built."""
    try:
        value = _defaults().get(name)
    except WsgibenchError:
        return "the core's"
    if isinstance(value, bool):
        return "on" if value else "off"
    return "none" if value in (None, "", []) else str(value)


def _defaults() -> dict[str, Any]:
    from wsgibench import native
    from wsgibench.native.options import Options
    from wsgibench.native.settings import SETTINGS

    found: dict[str, Any] = dict(vars(Options()))
    core = native.binding().DEFAULTS
    for setting in SETTINGS:
        value = core.get(setting.core)
        if setting.seconds and value is not None:
            value = value / 1000
        found[setting.name] = value
    return found

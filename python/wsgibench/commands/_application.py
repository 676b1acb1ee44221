"""Options that say which application, and what is asked of it: those of
``run``, ``capacity`` and ``size``; on a command line or in a table."""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wsgibench import bounded
from wsgibench.commands import _numbers
from wsgibench.errors import UsageError

if TYPE_CHECKING:
    from wsgibench.harness.application_run import ApplicationRun
    from wsgibench.harness.requests.reading import Traffic

#: Servers that a race of an application takes when none is named.
SERVERS = "c-uv,granian,gunicorn-sync,gunicorn-gthread,waitress,cheroot"
#: Options that name files; in a table, from where the table lies.
PATHS = ("chdir", "env-file", "requirements", "requests", "venv")
#: What of the table is the application's.
OWN = (
    *("app", "chdir", "env", "env-file", "requirements", "install", "venv"),
    *("setup", "reset", "requests", "sample", "sessions", "visitors"),
    *("think", "host"),
)
#: What means nothing to a scenario.
WITH_APP = (
    *("requests", "sample", "sessions", "host", "venv", "setup", "reset"),
    *("env", "env_file", "requirements", "install"),
)
VISITORS = 8
LISTS = ("server", "python", "connections", "rate")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "your application",
        "What is here may also stand in a table [tool.wsgibench.run] of "
        "pyproject.toml, or of the file that --config names.",
    )
    add = group.add_argument
    add(
        "--app",
        metavar="M:NAME",
        help="module:application, or module:factory() (default: none)",
    )
    add(
        "--chdir",
        default=".",
        help="folder it lives in (default: %(default)s)",
    )
    add(
        "--env",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="variable of its environment; kept in the record with the "
        "command, so put secrets into --env-file (default: none)",
    )
    add(
        "--env-file",
        action="append",
        default=[],
        metavar="FILE",
        help="NAME=VALUE lines (default: none)",
    )
    add(
        "-r",
        "--requirements",
        action="append",
        default=[],
        metavar="FILE",
        help="what pip installs for each interpreter (default: none)",
    )
    add(
        "--install",
        action="append",
        default=[],
        metavar="PACKAGE",
        help="the same, by name or path (default: none)",
    )
    add(
        "--venv",
        default="",
        metavar="DIR",
        help="an environment that has "
        "everything; its Python is raced (default: none)",
    )
    add(
        "--setup",
        default="",
        metavar="COMMAND",
        help="run once before everything, in --chdir (default: none)",
    )
    add(
        "--reset",
        default="",
        metavar="COMMAND",
        help="run before each start: the database as it was (default: none)",
    )
    add(
        "--config",
        default="",
        metavar="FILE",
        help="file with the table "
        "(default: pyproject.toml here, if it has one)",
    )
    _add_requests(
        parser.add_argument_group("what is asked of it").add_argument
    )


def add_prices(parser: argparse.ArgumentParser) -> None:
    from wsgibench.stats import cost

    group = parser.add_argument_group("what it costs")
    add = group.add_argument
    add(
        "--price-cpu",
        type=float,
        default=cost.PRICE_CPU,
        metavar="USD",
        help="of a vCPU-hour (default: %%(default)s, %s)" % cost.SOURCE,
    )
    add(
        "--price-memory",
        type=float,
        default=cost.PRICE_MEMORY,
        metavar="USD",
        help="of a GiB-hour (default: %(default)s, likewise)",
    )
    add(
        "--price-rate",
        type=float,
        default=100.0,
        metavar="R",
        help="requests/s of the month that is priced (default: %(default)s)",
    )


def prices(arguments: argparse.Namespace) -> dict[str, Any]:
    """``prices`` of the record."""
    from wsgibench.stats import cost

    _numbers.at_least(0, arguments, "price_cpu", "price_memory")
    _numbers.positive(arguments, "price_rate")
    own = (arguments.price_cpu, arguments.price_memory)
    default = own == (cost.PRICE_CPU, cost.PRICE_MEMORY)
    return {
        "cpu": arguments.price_cpu,
        "memory": arguments.price_memory,
        "rate": arguments.price_rate,
        "source": cost.SOURCE if default else "at your prices",
    }


def _add_requests(add: Callable[..., Any]) -> None:
    add(
        "--requests",
        default="",
        metavar="FILE",
        help="lines of '[WEIGHT] "
        "METHOD /target', JSON lines, a HAR file, or an access log "
        "(default: GET /)",
    )
    add(
        "--sample",
        type=int,
        default=0,
        metavar="N",
        help="so many lines of an access log, at random (default: all)",
    )
    add(
        "--sessions",
        default="",
        metavar="M:FUNCTION",
        help="called with "
        "(url, visitors) before each start's load; returns headers for each "
        "visitor (default: nobody logs in)",
    )
    add(
        "--visitors",
        type=int,
        default=VISITORS,
        metavar="N",
        help="asked of --sessions (default: %(default)s)",
    )
    add(
        "--think",
        type=float,
        default=0.0,
        metavar="S",
        help="seconds that "
        "a visitor waits before his next request (default: %(default)s)",
    )
    add(
        "--host",
        default="",
        metavar="NAME",
        help="what the Host header says "
        "(default: localhost, or as in the HAR file)",
    )


# -- the table


def expanded(
    argv: Sequence[str],
    parser: argparse.ArgumentParser,
    others: Sequence[str] | None = None,
) -> list[str]:
    """The arguments with those of the table before them: what stands on the
    command line wins. The table is of ``run``; another command takes from it
    what says which application, and the `others`."""
    given, _ = parser.parse_known_args(list(argv))
    if getattr(given, "suite", None) or getattr(given, "resume", None):
        return list(argv)
    path = Path(given.config or "pyproject.toml")
    if not given.config and not path.is_file():
        return list(argv)
    table = _table(path, bool(given.config))
    if others is not None:
        taken = {*OWN, *others}
        table = {
            key: value
            for key, value in table.items()
            if key.replace("_", "-") in taken
        }
    expanded = [*_arguments(table, path, parser), *argv]
    try:
        parser.parse_known_args(expanded)
    except UsageError as error:
        raise UsageError("%s: %s" % (path, error)) from error
    return expanded


def _table(path: Path, wanted: bool) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    raw = bounded.read(path, may_wait=wanted, most=bounded.SMALL)
    try:
        data: dict[str, Any] = tomllib.loads(raw.decode())
    except (ValueError, RecursionError) as error:  # TOML's, or UTF-8's
        if not wanted:
            return {}  # of another application
        raise UsageError("%s is not TOML: %s." % (path, error)) from error
    found = _inside(data, path)
    if found is None and wanted:
        if path.name == "pyproject.toml" or "tool" in data:
            raise UsageError("%s has no [tool.wsgibench.run]." % path)
        found = data.get("run", data)
        if not isinstance(found, dict):
            raise UsageError("%s: run is no table." % path)
    return found or {}


def _inside(data: dict[str, Any], path: Path) -> dict[str, Any] | None:
    """[tool.wsgibench.run], if it is there."""
    found: Any = data
    at: list[str] = []
    for key in ("tool", "wsgibench", "run"):
        found = found.get(key)
        at.append(key)
        if found is None:
            return None
        if not isinstance(found, dict):
            raise UsageError("%s: %s is no table." % (path, ".".join(at)))
    return found  # type: ignore[no-any-return]


def _arguments(
    table: dict[str, Any], path: Path, parser: argparse.ArgumentParser
) -> list[str]:
    from wsgibench.plugins import suggestion

    known = {
        option[2:]: action
        for action in parser._actions
        for option in action.option_strings
        if option.startswith("--")
    }
    elsewhere = path.resolve().parent != Path.cwd()
    found: list[str] = []
    for key, value in table.items():
        name = key.replace("_", "-")
        if name not in known or name in ("help", "config", "resume"):
            raise UsageError(
                "%s: [tool.wsgibench.run] has no %r%s; the options of run are "
                "its keys." % (path, key, suggestion(name, known))
            )
        if elsewhere and name in PATHS:
            value = _from(path.parent, value)
        found += _argument(name, value)
    if elsewhere and "chdir" not in table:
        found.append("--chdir=%s" % path.parent)
    return found


def _from(folder: Path, value: Any) -> Any:
    if isinstance(value, list):
        return [_from(folder, one) for one in value]
    return os.path.join(folder, value)


def _argument(name: str, value: Any) -> list[str]:
    option = "--" + name
    if isinstance(value, bool):
        return [option] if value else []
    if isinstance(value, dict):
        return ["%s=%s=%s" % (option, *item) for item in value.items()]
    if isinstance(value, list):
        if name in LISTS:
            return ["%s=%s" % (option, ",".join(map(str, value)))]
        return ["%s=%s" % (option, one) for one in value]
    return ["%s=%s" % (option, value)]


# -- what follows from them


def _with_headers(traffic: Traffic, headers: str) -> Traffic:
    """Every request with the header set's own in front; a browser's cookie
    would be a visitor's session."""
    from wsgibench.load.headers import header_set

    base = [h for h in header_set(headers) if h[0].lower() != "cookie"]
    made = []
    for request in traffic.requests:
        taken = {name.lower() for name, _ in request.headers}
        more = tuple(h for h in base if h[0].lower() not in taken)
        made.append(
            dataclasses.replace(request, headers=more + request.headers)
        )
    return dataclasses.replace(traffic, requests=tuple(made))


def _traffic(arguments: argparse.Namespace) -> Traffic:
    from wsgibench.harness.requests import reading
    from wsgibench.harness.requests.request import Request

    if not arguments.requests:
        if arguments.sample:
            raise UsageError("--sample is for --requests access.log.")
        return reading.Traffic((Request("GET", "/"),), "GET /")
    return reading.read(arguments.requests, arguments.sample, arguments.seed)


def refuse_no_name(arguments: argparse.Namespace) -> None:
    """Of a variable that is not set: hello would be raced instead."""
    if arguments.app == "":
        raise UsageError("--app is empty: it names nothing.")


def application_run(
    arguments: argparse.Namespace, tell: Callable[[str], None]
) -> ApplicationRun | None:
    """What --app asks for; None without it."""
    from wsgibench.harness import application
    from wsgibench.harness.application_run import ApplicationRun
    from wsgibench.stats import warmup

    refuse_no_name(arguments)
    _numbers.at_least(0, arguments, "sample", "think")
    _numbers.counts(1, arguments, "visitors")
    if not arguments.app:
        for name in WITH_APP:
            if getattr(arguments, name):
                raise UsageError(
                    "--%s goes with --app." % name.replace("_", "-")
                )
    if arguments.visitors != VISITORS and not arguments.sessions:
        raise UsageError("--visitors goes with --sessions.")
    if not arguments.app:
        return None
    if arguments.venv and arguments.python:
        raise UsageError(
            "--venv brings its own Python; leave --python away, or name what "
            "to install with --requirements."
        )
    traffic = _traffic(arguments)
    headers = arguments.headers
    if headers is None:
        headers = "minimal" if traffic.kind == "HAR" else "browser"
    traffic = _with_headers(traffic, headers)
    found = application.make(
        arguments.app,
        chdir=arguments.chdir,
        env=arguments.env,
        env_file=arguments.env_file,
        requirements=arguments.requirements,
        install=arguments.install,
        venv=arguments.venv,
        setup=arguments.setup,
        reset=arguments.reset,
        sessions=arguments.sessions,
        visitors=arguments.visitors,
        host=arguments.host or traffic.host or "localhost",
    )
    for remark in traffic.remarks:
        tell(remark)
    return ApplicationRun(found, traffic, tell, warmup.settled)


def pythons(arguments: argparse.Namespace, tell: Callable[[str], None]) -> str:
    """Which interpreters an application is raced on."""
    from wsgibench.harness import interpreters

    if arguments.venv:
        return str(Path(arguments.venv).absolute() / "bin" / "python")
    if arguments.python is not None:
        return str(arguments.python)
    try:
        interpreters.find("pypy3")
    except UsageError:
        tell("there is no pypy3 here: raced on CPython only")
        return "python3"
    return "python3,pypy3"

"""``python -m wsgibench worker --master HOST``: a Locust worker in C."""

from __future__ import annotations

import argparse
import os
import sys

from wsgibench.errors import UsageError
from wsgibench.load import options

HELP = "a Locust worker whose load is made by the C generator"
EPILOG = """\
All users of the master's test become connections of the generator, whatever
their class; what they send is said here. With -f the locustfile says it, and
plain users of Python run beside (wsgibench.locust.FastUser). A master of ours
(load --workers) sends the whole load. See docs/distributed.md.
"""
#: What is sent and expected, of the options of ``load``.
OPTIONS = (*options.REQUESTS, *options.LOOP, *options.EXPECTED)
FIELDS = ("url_list", "headers", "header", "think", "expect_status")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    add = parser.add_argument
    add("request", nargs="*", help="/target or 'POST /target' (/)")
    add("--master", required=True, metavar="HOST[:PORT]", help="port 5557")
    add("--host", help="the URL to load, unless the master says it (-H)")
    add("-f", "--locustfile", default="", help="run this one's users")
    options.add(parser, options.pick(OPTIONS, *FIELDS))
    add("--stay", action="store_true", help="when it quits, wait for the next")


default_text = options.default_text


def _master(text: str) -> tuple[str, int]:
    """``HOST``, ``HOST:PORT`` or ``[ADDRESS]:PORT``."""
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        host, port = text, "5557"
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise UsageError("%r is not a master like 10.0.0.1:5557." % text)
    return host.strip("[]"), int(port)


def _refuse_beside_a_locustfile(arguments: argparse.Namespace) -> None:
    """Its users know what they send, and Locust when it ends."""
    from wsgibench import cli

    parser = cli.parser_of("worker", add_arguments)
    for action in parser._actions:
        given = getattr(arguments, action.dest, action.default)
        if action.dest in ("master", "locustfile") or not given:
            continue
        if given != action.default:
            raise UsageError(
                "%s does not go with a locustfile, which says it itself."
                % (action.option_strings or ["a request"])[-1]
            )


def run(arguments: argparse.Namespace) -> int:
    host, port = _master(arguments.master)
    if arguments.locustfile:
        _refuse_beside_a_locustfile(arguments)
        os.execv(
            sys.executable,
            [sys.executable, "-m", "locust", "-f", arguments.locustfile]
            + ["--worker", "--master-host", host, "--master-port", str(port)],
        )
    from wsgibench.locust import FastUser, worker

    kind: type[FastUser] = type(
        "FastUser",
        (FastUser,),
        {
            "abstract": True,
            "host": arguments.host,
            "requests": tuple(arguments.request) or ("/",),
            "options": options.given(arguments),
        },
    )
    # Before a master is asked for work.
    kind.spec(arguments.host or "http://127.0.0.1")
    worker.serve(host, port, kind, arguments.stay)
    return 0

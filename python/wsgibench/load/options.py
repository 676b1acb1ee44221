"""A load on a command line: the options of ``wsgibench load``.

An option sets the field of LoadSpec that its `dest` names, or those that
given() says. One that is not given leaves its field as it is in the file
(``@FILE``), or as LoadSpec has it.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from wsgibench.errors import UsageError

if TYPE_CHECKING:
    from wsgibench.load.spec import LoadSpec

FOREVER = 1e6  # seconds: a run that only a count ends
REDIRECTS = 5  # of a request, with -L alone

Option = tuple[tuple[str, ...], dict[str, Any]]


def _option(dest: str, *flags: str, **how: Any) -> Option:
    return flags, {"dest": dest, "default": argparse.SUPPRESS, **how}


def _value(name: str) -> Callable[[str], Any]:
    """A function of load/values.py, imported when it is called: the parser is
    made for every command."""

    def read(text: str) -> Any:
        from wsgibench.load import values

        return getattr(values, name)(text)

    return read


def _file(path: str) -> bytes:
    from wsgibench import bounded

    return bounded.read(path, may_wait=True)


def _body(text: str) -> bytes:
    from wsgibench.load.message import as_bytes

    return _file(text[1:]) if text[:1] == "@" else as_bytes(text)


def _header(text: str) -> tuple[str, str]:
    from wsgibench.load.headers import parse_header

    return parse_header(text)


def _user(text: str) -> tuple[str, str]:
    from wsgibench.load.target import basic

    user, _, password = text.partition(":")
    return "Authorization", "Basic " + basic(user, password)


def _most(text: str) -> int:
    from wsgibench.load import spec, values

    most = values.whole(text, spec.MAX_REDIRECTS)
    if not most:
        raise UsageError(
            "--max-redirects is 1 to %d, not %s." % (spec.MAX_REDIRECTS, text)
        )
    return most


def _length(text: str) -> int:
    from wsgibench.load import spec, values

    length = values.whole(text, spec.MOST_BYTES)
    if length is None:
        raise UsageError("%r is not a length in bytes." % text)
    return length


LOOP = (
    _option("connections", "-c", "--connections", type=int, help="at once"),
    _option(
        *("duration", "-d", "--duration", "-z"),
        type=_value("seconds"),
        help="a time",
    ),
    _option(
        *("requests", "-n", "--requests"), type=int, help="stop after so many"
    ),
    _option(
        *("pace", "-R", "--rate", "--qps"),
        type=_value("rate"),
        metavar="RATE",
        help="requests/s, or a ramp A:B; 0: closed loop",
    ),
    _option(
        *("stages", "--stages"),
        type=_value("stages"),
        help="10s:100,60s:500: evenly to each rate",
    ),
    _option(
        *("steps", "--steps"),
        type=_value("steps"),
        help="10s:100,60s:500: each rate so long",
    ),
    _option(
        *("arrivals", "--arrivals"),
        choices=["poisson", "constant"],
        help="of the open loop",
    ),
    _option(
        *("think", "--think"),
        type=_value("think"),
        help="closed loop: a time, or LEAST:MOST",
    ),
    _option("seed", "--seed", type=int, help="of all that is random"),
    _option(
        *("keepalive", "--no-keepalive", "--disable-keepalive"),
        action="store_false",
        help="a connection for each request",
    ),
    _option(
        *("per_connection", "--per-connection"),
        type=int,
        help="requests on each",
    ),
    _option(
        *("pipeline", "--pipeline"),
        type=int,
        help="requests under way on each",
    ),
    _option(
        *("connect_rate", "--connect-rate"),
        type=float,
        help="first connects/s",
    ),
)
REQUESTS = (
    _option(
        *("headers", "--headers"),
        help="minimal, browser, proxied, users, cookies-4k or @FILE",
    ),
    _option(
        *("header", "-H", "--header"),
        action="append",
        type=_header,
        help="Name: value",
    ),
    _option("http10", "--http10", action="store_true", help="ask in HTTP/1.0"),
    _option(
        *("method", "-m", "--method"),
        type=str.upper,
        help="GET, or POST with a body",
    ),
    _option(
        *("body", "-b", "--body"),
        type=_body,
        help="the request body; @FILE: from a file",
    ),
    _option(
        "body_file",
        "--body-file",
        type=_file,
        metavar="FILE",
        help="the request body",
    ),
    _option("chunk", "--chunk", type=int, help="upload in chunks of so many"),
    _option(
        "url_list",
        "--urls",
        metavar="FILE",
        help="file of '[WEIGHT] [METHOD] /target'",
    ),
    _option(
        *("user", "-u", "--user"), type=_user, help="USER:PASSWORD for Basic"
    ),
    _option(
        *("follow", "-L", "--follow"),
        action="store_const",
        const=REDIRECTS,
        help="redirects to this origin",
    ),
    _option(
        *("max_redirects", "--max-redirects"),
        type=_most,
        metavar="N",
        help="so many at most, and follow them (default: %d with -L)"
        % REDIRECTS,
    ),
    _option(
        *("cookies", "--cookies"),
        action="store_true",
        help="keep them, by connection",
    ),
    _option(
        *("slow_send", "--slow-send"),
        type=_value("slowly"),
        help="SIZE:SECONDS, 1:0.1 is slowloris",
    ),
    _option(
        *("slow_read", "--slow-read"),
        type=_value("slowly"),
        help="SIZE:SECONDS",
    ),
)
EXPECTED = (
    _option(
        *("expect_status", "--expect-status"),
        type=_value("statuses"),
        help="200,204 or 3xx; 0: any 2xx",
    ),
    _option(
        *("expect_body", "--expect-body-file"),
        type=_file,
        metavar="FILE",
        help="compare every body with it",
    ),
    _option(
        *("expect_length", "--expect-length"),
        type=_length,
        help="of every body",
    ),
    _option(
        *("learn", "--learn"),
        action="store_true",
        help="expect the body of a first GET",
    ),
)
WHERE = (
    _option(
        *("connect_to", "--connect-to"),
        metavar="HOST:PORT",
        help="connect there, with the URL's Host and server name",
    ),
    _option(
        *("resolve", "--resolve"),
        action="append",
        metavar="HOST:PORT:ADDRESS",
        help="instead of what DNS says",
    ),
    _option("tls_ca", "--tls-ca", help="verify the server against this file"),
    _option("tls_cert", "--tls-cert", help="a certificate of our own ..."),
    _option(
        "tls_key", "--tls-key", help="... and its key, if in another file"
    ),
    _option("tls_name", "--tls-name", "--sni", help="the server's name"),
    _option(
        *("tls_resume", "--tls-resume"),
        action="store_true",
        help="offer old sessions",
    ),
)
CLIENT = (
    _option(
        *("timeout", "--timeout"),
        type=_value("seconds"),
        help="a time for a request",
    ),
    _option(
        *("drain", "--drain"),
        type=_value("seconds"),
        help="a time for late answers",
    ),
    _option(
        *("window", "--window"),
        type=_value("seconds"),
        help="a time: of a window",
    ),
    _option("source", "--source", help="first source address"),
    _option(
        *("sources", "--sources"), type=int, help="how many consecutive ones"
    ),
    _option(
        *("processes", "-t", "--processes", "--threads"),
        type=int,
        help="generators, each on a CPU",
    ),
)
OUTPUT = (
    _option(
        *("percentiles", "--percentiles"),
        type=_value("percentiles"),
        help="more of them: 95,99.95",
    ),
)

#: Options of two fields, by `dest`.
FIELDS = {
    "pace": ("rate", "rate_end"),
    "slow_send": ("send_size", "send_gap"),
    "slow_read": ("read_size", "read_gap"),
}
#: Defaults in words, where LoadSpec's says too little.
DEFAULTS = {
    "arrivals": "poisson",
    "duration": "5 s; with -n until then",
    "keepalive": "off",
    "expect_length": "none",
    "pace": "0",
    "source": "the system's choice",
    "think": "none",
}


def add(group: Any, options: Sequence[Option]) -> None:
    """Adds them to a parser, or to a group of one."""
    for flags, how in options:
        group.add_argument(*flags, **how)


def pick(options: Sequence[Option], *names: str) -> list[Option]:
    """Those of the named `dest`, for a command that has only some."""
    return [one for one in options if one[1]["dest"] in names]


def default_text(name: str) -> str:
    """Of the option with this `dest`, for --help."""
    from wsgibench.load.spec import LoadSpec

    value = DEFAULTS.get(name, getattr(LoadSpec, name, None))
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return "%g" % value
    return "none" if value in (None, "", b"", ()) else str(value)


def given(arguments: argparse.Namespace) -> dict[str, Any]:
    """What the options say, as fields of LoadSpec."""
    from wsgibench.load.spec import LoadSpec

    said = vars(arguments)
    names = {one.name for one in dataclasses.fields(LoadSpec)}
    found = {name: value for name, value in said.items() if name in names}
    for name in sorted(set(FIELDS) & set(said)):
        found.update(zip(FIELDS[name], said[name]))
    if "arrivals" in said:
        found["poisson"] = said["arrivals"] == "poisson"
    if "max_redirects" in said:
        found["follow"] = said["max_redirects"]
    if "resolve" in said:
        found["resolve"] = tuple(said["resolve"])
    headers = [*said.get("header", ())]
    if "user" in said and "authorization" not in (
        n.lower() for n, _ in headers
    ):
        headers.append(said["user"])
    if headers:
        found["extra_headers"] = tuple(headers)
    _stages(found, said)
    _body_of(found, said)
    return found


def _stages(found: dict[str, Any], said: dict[str, Any]) -> None:
    if "stages" in said and "steps" in said:
        raise UsageError("--stages and --steps are two ways to say one thing.")
    if "steps" in said:
        found["stages"] = said["steps"]
    if "stages" in found and {"duration", "rate"} & set(found):
        raise UsageError("stages say how long and at what rate: no -d, no -R.")


def _body_of(found: dict[str, Any], said: dict[str, Any]) -> None:
    if "body" in said and "body_file" in said:
        raise UsageError("there is one body: --body or --body-file.")
    if "body_file" in said:
        found["body"] = said["body_file"]
    if found.get("body"):
        found.setdefault("method", "POST")


def spec(arguments: argparse.Namespace) -> LoadSpec:
    """The load that a command line asks for. UsageError for what makes no
    sense."""
    from wsgibench.load.spec import LoadSpec

    fields = given(arguments)
    url: str = fields.pop("url")
    if url.startswith("@"):
        made = dataclasses.replace(_of_file(url[1:]), **fields)
    else:
        if "duration" not in fields:
            if fields.get("rate_end") is not None:
                raise UsageError("a ramp needs its duration: -d SECONDS.")
            if fields.get("requests"):
                fields["duration"] = FOREVER
        made = LoadSpec(url, **fields)
    made.check()
    return made


def _of_file(path: str) -> LoadSpec:
    """A load as JSON: see load/wire.py."""
    from wsgibench import bounded
    from wsgibench.load import wire

    value = bounded.parsed(path, _file(path))
    if not isinstance(value, dict):
        raise UsageError("%s is no load: it is no object." % path)
    return wire.from_json(value)

"""Named sets of request headers.

``minimal`` is what a benchmark tool sends, ``browser`` what one browser does
over and over (the survey of servers under PyPy used such headers, for they
cost a server more than the rest of the request), ``cookies-4k`` a visitor of
large sites. ``proxied`` is what a server behind a proxy gets: a browser's
headers, with a request id, a client's address and a session cookie that are
different in every request. ``users`` are 10,000 visitors, of whom some come
often (load/visitors.py).
"""

from __future__ import annotations

import codecs

from wsgibench import bounded
from wsgibench.errors import UsageError

Headers = list[tuple[str, str]]

#: Of a line that is none: a file may be no text at all.
SHOWN = 60

BROWSER: Headers = [
    ("Cache-Control", "max-age=0"),
    ("Upgrade-Insecure-Requests", "1"),
    (
        "User-Agent",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like "
        "Gecko) Chrome/130.0.0.0 Safari/537.36",
    ),
    (
        "Accept",
        "text/html,application/xhtml+xml,application/xml;q=0.9,"
        "image/avif,image/webp,*/*;q=0.8",
    ),
    ("Accept-Encoding", "gzip, deflate, br"),
    ("Accept-Language", "en-US,en;q=0.9"),
    ("Cookie", "session=0123456789abcdef0123456789abcdef; theme=dark"),
]

PROXIED: Headers = [
    *BROWSER[:-1],
    ("Cookie", "session={random:32}; theme=dark"),
    ("X-Forwarded-For", "{address}"),
    ("X-Forwarded-Proto", "https"),
    ("X-Request-Id", "{random:32}"),
]

USERS: Headers = [
    *BROWSER[:2],
    ("User-Agent", "{user:agent}"),
    *BROWSER[3:5],
    ("Accept-Language", "{user:language}"),
    ("Cookie", "{user:cookie}"),
    ("X-Forwarded-For", "{user:address}"),
    ("X-Forwarded-Proto", "https"),
]

SETS: dict[str, Headers] = {
    "minimal": [],
    "browser": BROWSER,
    "cookies-4k": [*BROWSER[:-1], ("Cookie", "crumb=" + "0123456789" * 409)],
    "proxied": PROXIED,
    "users": USERS,
}


def text_lines(data: bytes) -> list[str]:
    """Of a file: ended by LF, CR LF or CR, and by nothing else of Unicode."""
    lines = data.removeprefix(codecs.BOM_UTF8).splitlines()
    return [line.decode("utf-8", "surrogateescape") for line in lines]


def _from_file(path: str) -> Headers:
    """``Name: value`` lines, as they are sent."""
    lines = text_lines(bounded.read(path, may_wait=True, most=bounded.SMALL))
    return [parse_header(line) for line in lines if line.strip()]


def parse_header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise UsageError(
            "%r is not a header like 'Name: value'." % text[:SHOWN]
        )
    return name.strip(), value.strip()


def header_set(name: str) -> Headers:
    """A named set, or the file that ``@path`` names."""
    if name.startswith("@"):
        return _from_file(name[1:])
    if name not in SETS:
        raise UsageError(
            "there is no header set %r; there are: %s, or @FILE."
            % (name, ", ".join(SETS))
        )
    return SETS[name]

"""What the services hold: the same everywhere, so that every answer can be
compared byte by byte."""

from __future__ import annotations

from typing import Any

#: A page of 1 KiB.
PAGE = b"<html><body>" + b"The quick brown fox. " * 47 + b"</body></html>\n"
VALUE = b"the value in Redis: " + b"0123456789" * 20
KEY = "wsgibench:value"
PEOPLE = 10000
TOWNS = 500
ITEMS = 200


def name(number: int) -> str:
    return "person %d" % number


def town(number: int) -> int:
    return number % TOWNS


def neighbours(number: int) -> list[Any]:
    """What the databases are asked for."""
    here = town(number)
    return [name(number), here, list(range(here, PEOPLE, TOWNS))]


def _sizes() -> list[int]:
    return [1000 + 37 * number % 911 for number in range(ITEMS)]


def feed() -> bytes:
    """An XML feed of some 50 KB."""
    items = [
        "<item><title>Item number %d</title><link>http://wsgibench.test/%d"
        "</link><description>%s</description><size>%d</size></item>"
        % (number, number, "Lorem ipsum dolor sit amet. " * 5, size)
        for number, size in enumerate(_sizes())
    ]
    text = (
        '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel>'
        "<title>wsgibench</title>%s</channel></rss>\n" % "\n".join(items)
    )
    return text.encode()


def feed_summary() -> bytes:
    return b"%d items, %d bytes, last: Item number %d\n" % (
        ITEMS,
        sum(_sizes()),
        ITEMS - 1,
    )


def triples() -> str:
    """A thousand people, in Turtle."""
    base = "http://wsgibench.test/"
    return "".join(
        '<%sperson/%d> <%sname> "%s" ; <%stown> %d .\n'
        % (base, number, base, name(number), base, town(number))
        for number in range(1000)
    )

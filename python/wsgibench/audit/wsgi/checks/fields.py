"""Response fields: nothing is injected, nothing is doubled."""

from wsgibench.audit.wire.responses import Response
from wsgibench.audit.wsgi.check import Ask, Check, Notes, Want

RULE = "PEP 3333 start_response"


def clean(answer: Response, notes: Notes) -> str:
    if answer.get("Injected") is not None:
        return "INJECTED"
    return ""


def once(name: str, value: str | None = None) -> Want:
    def also(answer: Response, notes: Notes) -> str:
        found = answer.all(name)
        if len(found) != 1:
            return "%d %s fields" % (len(found), name)
        if value is not None and found[0] != value:
            return "%s is %r" % (name, found[0])
        return ""

    return Want(also=also)


def in_order(answer: Response, notes: Notes) -> str:
    found = answer.all("Set-Cookie")
    wanted = ["c%d=%d" % (i, i) for i in range(50)]
    return "" if found == wanted else "%d cookies came" % len(found)


CHECKS = [
    *[
        Check(
            "injected-" + what,
            "9110 5.5",
            level,
            Ask("injected", what),
            Want((200, 500), complete=None, goes_on=None, also=clean),
        )
        for what, level in (
            ("crlf-value", "must"),
            ("lf-value", "must"),
            ("cr-value", "must"),
            ("nul-value", "must"),
            ("crlf-name", "must"),
            ("lf-name", "must"),
            ("crlf-status", "must"),
            ("lf-status", "must"),
            ("colon-name", "robust"),
            ("space-name", "robust"),
            ("empty-name", "robust"),
        )
    ],
    *[
        Check(
            "hop-by-hop-%s" % field.partition("=")[0].lower(),
            "PEP 3333 other HTTP features",
            "must",
            Ask("hop_by_hop", field),
            Want((200, 500), complete=None, goes_on=None),
        )
        for field in (
            "Transfer-Encoding=chunked",
            "Connection=close",
            "Keep-Alive=timeout",
        )
    ],
    Check("date", "9110 6.6.1", "must", Ask("hello"), once("Date")),
    Check(
        "own-date",
        "9110 6.6.1",
        "must",
        Ask("own_date"),
        once("Date", "Sat, 21 Nov 2026 05:00:00 GMT"),
    ),
    Check("own-server", RULE, "must", Ask("own_date"), once("Server", "mine")),
    Check("cookies", RULE, "must", Ask("cookies"), Want(also=in_order)),
    Check("latin-1", RULE, "must", Ask("latin_1"), once("X-A", "caf\xe9")),
]

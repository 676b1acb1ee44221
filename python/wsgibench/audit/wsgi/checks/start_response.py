"""start_response(): PEP 3333 "The start_response() Callable"."""

from wsgibench.audit.wire.responses import Response
from wsgibench.audit.wsgi.check import Ask, Check, Notes, Want

RULE = "PEP 3333 start_response"


def no_secret(answer: Response, notes: Notes) -> str:
    if b"secret" in answer.body or b"Traceback" in answer.body:
        return "the client is told the traceback"
    return ""


def raised(answer: Response, notes: Notes) -> str:
    return "" if ["raised"] in notes else "no exception in the application"


def reraised(answer: Response, notes: Notes) -> str:
    if ["reraised", "Marker"] in notes:
        return ""
    return "the exception of exc_info was not raised again: %r" % notes


def own_reason(answer: Response, notes: Notes) -> str:
    if answer.reason in ("", "Nothing Here"):
        return ""
    return "the reason is %r, not the application's" % answer.reason


FAILED = Want(status=500, goes_on=None, also=no_secret)
CHECKS = [
    Check("before-return", RULE, "must", Ask("hello"), Want(body=b"hello")),
    Check("in-first-next", RULE, "must", Ask("lazy"), Want(body=b"lazy")),
    Check(
        "never",
        RULE,
        "must",
        Ask("never"),
        Want(status=500, goes_on=None, notes=[["closed"]]),
    ),
    Check(
        "never-empty",
        RULE,
        "must",
        Ask("never_empty"),
        Want(status=500, goes_on=None, notes=[["closed"]]),
    ),
    Check(
        "twice",
        RULE,
        "must",
        Ask("twice"),
        Want(status=500, goes_on=None, also=raised, least=1),
    ),
    Check(
        "exc-info-replaces",
        RULE,
        "must",
        Ask("replaced"),
        Want(503, b"a longer body", {"X-New": "1", "X-Old": None}),
    ),
    Check(
        "exc-info-forgets-the-length",
        RULE,
        "must",
        Ask("replaced_no_length"),
        Want(503, b"a longer body"),
    ),
    Check(
        "exc-info-after-empty-part",
        RULE,
        "must",
        Ask("replaced_after_empty"),
        Want(503, b"sorry", {"X-Old": None}),
    ),
    Check(
        "exc-info-none",
        RULE,
        "must",
        Ask("exc_info_none"),
        Want(body=b"fine"),
    ),
    Check(
        "exc-info-first",
        RULE,
        "must",
        Ask("exc_info_first"),
        Want(503, b"sorry"),
    ),
    Check(
        "exc-info-too-late",
        RULE,
        "must",
        Ask("too_late"),
        Want(200, complete=False, goes_on=False, also=reraised, least=1),
    ),
    Check("raises", RULE, "must", Ask("fails"), FAILED),
    Check("raises-after-head", RULE, "must", Ask("fails_after_head"), FAILED),
    Check(
        "raises-after-empty-part",
        RULE,
        "should",
        Ask("fails_after_empty"),
        FAILED,
    ),
    *[
        Check(
            "raises-midway-" + name,
            "PEP 3333 error handling",
            "must",
            Ask("fails_midway", length),
            Want(
                None,
                complete=False,
                goes_on=False,
                least=1,
                also=lambda answer, notes: (
                    ""
                    if notes == [["closed"]]
                    else "close() was called %d times" % len(notes)
                ),
            ),
        )
        for name, length in (("chunked", "0"), ("length", "5000"))
    ],
    Check(
        "write-comes-first",
        "PEP 3333 write()",
        "must",
        Ask("write_first"),
        Want(body=b"written twice returned"),
    ),
    Check(
        "write-with-length",
        "PEP 3333 write()",
        "must",
        Ask("write_length"),
        Want(body=b"written returne"),
    ),
    Check(
        "own-status",
        RULE,
        "must",
        Ask("own_status", "299+Of+Its+Own"),
        Want(299, b"its own"),
    ),
    # Clients ignore it (RFC 9112 4); who cannot pass it on sends none.
    Check(
        "own-reason",
        RULE,
        "robust",
        Ask("own_status", "404+Nothing+Here"),
        Want(404, b"its own", also=own_reason),
    ),
    Check("no-arguments", RULE, "robust", Ask("no_arguments"), FAILED),
    *[
        Check(
            "wrong-" + name,
            RULE,
            "robust",
            Ask("wrong_head", name),
            Want(status=500, goes_on=None),
        )
        for name in (
            "beyond-latin-1",
            "bytes-value",
            "int-value",
            "none-value",
            "short-tuple",
            "dict",
            "none",
            "status-int",
            "status-bytes",
            "status-none",
            "status-text",
            "status-1000",
        )
    ],
    *[
        Check(
            "%s-%s" % (app, kind),
            "PEP 3333",
            "robust",
            Ask(app, kind),
            Want(status=(500, 200), complete=None, goes_on=None),
        )
        for app, kind in (
            ("returns", "none"),
            ("returns", "int"),
            ("returns", "str"),
            ("yields", "none"),
            ("yields", "int"),
            ("yields", "str"),
        )
    ],
    *[
        Check(
            kind,
            "PEP 3333",
            "robust",
            Ask("exits", kind),
            Want(status=None, complete=None, goes_on=None),
            settle=3.0,
            ends=True,
        )
        for kind in ("SystemExit", "KeyboardInterrupt")
    ],
]

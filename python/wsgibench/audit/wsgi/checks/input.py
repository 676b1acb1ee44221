"""wsgi.input and wsgi.errors: PEP 3333 "Input and Error Streams"."""

import json

from wsgibench.audit.wire.responses import Response
from wsgibench.audit.wsgi.check import Ask, Check, Judge, Notes, Want

RULE = "PEP 3333 input and error streams"
BODY = b"first line\nsecond line\n\nno end of line"
HIDDEN = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


def gives(*expected: object) -> Judge:
    def also(answer: Response, notes: Notes) -> str:
        found = json.loads(answer.body)
        wanted = list(expected)
        return "" if found == wanted else "read %r, not %r" % (found, wanted)

    return also


LINES = ["first line\n", "second line\n", "\n", "no end of line"]
TEXT = BODY.decode()
READS: dict[str, tuple[str, list[object]]] = {
    "read": ("read", [TEXT]),
    "read-minus": ("read,-1;read", [TEXT, ""]),
    "read-zero": ("read,0;read", ["", TEXT]),
    "read-n": ("read,5;read,1000;read,5", [TEXT[:5], TEXT[5:], ""]),
    "readline": (
        "readline;readline;readline;readline;readline",
        [*LINES, ""],
    ),
    "readline-n": ("readline,4;readline", ["firs", "t line\n"]),
    "readlines": ("readlines", [LINES]),
    "iterate": ("iterate", [LINES]),
    "mixed": ("read,3;readline;iterate", ["fir", "st line\n", LINES[1:]]),
}
CHECKS = [
    *[
        Check(
            name + ("-chunked" if chunked else ""),
            RULE,
            "must",
            Ask("reads", script, method="POST", body=BODY, chunked=chunked),
            Want(goes_on=None, also=gives(*expected)),
        )
        for name, (script, expected) in READS.items()
        for chunked in (False, True)
    ],
    Check(
        "no-body",
        RULE,
        "must",
        Ask("reads", "read;read,10"),
        Want(also=gives("", "")),
    ),
    *[
        Check(
            "unread" + ("-chunked" if chunked else ""),
            RULE,
            "must",
            Ask("reads_nothing", method="POST", body=HIDDEN, chunked=chunked),
            Want(body=b"unread", goes_on=None),
        )
        for chunked in (False, True)
    ],
    Check("errors", RULE, "must", Ask("errors"), Want(body=b"logged")),
]

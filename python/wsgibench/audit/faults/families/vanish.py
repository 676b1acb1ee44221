"""Clients that go away at every stage: RFC 9112 8, PEP 3333 (close)."""

from wsgibench.audit.faults.fault import Fault, Notes, request

SIZE = 1000
UPLOAD = request("reads_in_upload", "POST", ("Content-Length: %d" % SIZE,))
CHUNKED = request("reads_in_upload", "POST", ("Transfer-Encoding: chunked",))
HALF = b"x" * (SIZE // 2)


def not_whole(notes: Notes) -> str:
    """Of a body with a length, the application can see that it is short."""
    if ["read", SIZE] in notes:
        return "the application read a whole body; half of it came"
    return ""


def not_complete(notes: Notes) -> str:
    """Of a chunked one it cannot: it must hear of it."""
    read = [note for note in notes if note[0] == "read"]
    if read:
        return "the application read %d bytes as if they were all" % read[0][1]
    return ""


def stopped(notes: Notes) -> str:
    if [note[0] for note in notes] != ["stopped"]:
        return "the application's iterable was not closed"
    return ""


FAULTS = [
    Fault("connect-reset", "9112 9.5", "must", clients=300, then="reset"),
    Fault(
        "head-reset", "9112 8", "must", b"GET / HTT", clients=20, then="reset"
    ),
    Fault(
        "head-close", "9112 8", "must", b"GET / HTT", clients=20, then="close"
    ),
    Fault(
        "request-reset",
        "9112 9.5",
        "must",
        request("last"),
        clients=20,
        then="reset",
    ),
    *[
        Fault(
            "length-" + then,
            "9112 8",
            "must",
            UPLOAD + HALF,
            then=then,
            noted=not_whole,
        )
        for then in ("reset", "close", "half-close")
    ],
    *[
        Fault(
            "%s-%s" % (name, then),
            "9112 8",
            "must",
            CHUNKED + wire,
            then=then,
            noted=not_complete,
        )
        for name, wire in (
            ("chunk", b"3e8\r\n" + HALF),
            ("last-chunk", b"1f4\r\n" + HALF + b"\r\n"),
        )
        for then in ("reset", "close", "half-close")
    ],
    *[
        Fault(
            "answer-" + then,
            "PEP 3333",
            "must",
            request("endless"),
            read=1 << 16,
            then=then,
            noted=stopped,
            notes=1,
            within=9.0,
        )
        for then in ("reset", "close")
    ],
    Fault(
        "half-close",
        "9112 9.6",
        "robust",
        request("last", lines=("Connection: close",)),
        then="half-close",
        whole=True,
    ),
    Fault(
        "half-close-big",
        "9112 9.6",
        "robust",
        request("big_block", lines=("Connection: close",)),
        then="half-close",
        whole=True,
    ),
]

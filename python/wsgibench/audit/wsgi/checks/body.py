"""What the application returns: iterables, lengths, close(), wrapped files."""

from wsgibench.audit.wire.responses import Response
from wsgibench.audit.wsgi.check import Ask, Check, Notes, Want

RULE = "PEP 3333 handling of the iterable"
PARTS = b"one two three"
FILE = bytes(range(256)) * 400


def has_length(answer: Response, notes: Notes) -> str:
    return "" if answer.get("Content-Length") else "no Content-Length"


def no_framing(answer: Response, notes: Notes) -> str:
    for name in ("Content-Length", "Transfer-Encoding"):
        if answer.get(name) is not None:
            return "a 204 with %s" % name
    return ""


def never_chunked(answer: Response, notes: Notes) -> str:
    return "chunked to HTTP/1.0" if answer.framing == "chunked" else ""


def closed_once(answer: Response, notes: Notes) -> str:
    count = notes.count(["closed"])
    return "" if count == 1 else "close() was called %d times" % count


def not_on_the_wire(answer: Response, notes: Notes) -> str:
    value = answer.get("Content-Length")
    if value is None or (value.isdigit() and "," not in value):
        return ""
    return "Content-Length: %s was sent" % value


CHECKS = [
    *[
        Check(name, RULE, "must", Ask(name), Want(body=PARTS))
        for name in (
            "of_list",
            "of_tuple",
            "of_generator",
            "of_sequence",
            "of_iterator",
        )
    ],
    Check(
        "one-part-has-a-length",
        RULE,
        "should",
        Ask("one_part"),
        Want(body=b"one part", also=has_length),
    ),
    Check(
        "unknown-length-to-1.0",
        "9112 6.1",
        "must",
        Ask("of_generator", version="1.0"),
        Want(body=PARTS, goes_on=None, also=never_chunked),
    ),
    Check("no-parts", RULE, "must", Ask("no_parts"), Want(body=b"")),
    Check("empty-part", RULE, "must", Ask("empty_part"), Want(body=b"")),
    Check(
        "3000-parts", RULE, "must", Ask("many_parts"), Want(body=b"x" * 3000)
    ),
    Check(
        "8-MiB",
        RULE,
        "must",
        Ask("big_block"),
        Want(body=b"0123456789abcdef" * (1 << 19)),
    ),
    *[
        Check(
            "echo-while-reading" + ("-chunked" if chunked else ""),
            RULE,
            "must",
            Ask("echo", method="POST", body=b"e" * (1 << 20), chunked=chunked),
            Want(body=b"e" * (1 << 20)),
        )
        for chunked in (False, True)
    ],
    *[
        Check(
            "closed-" + name,
            RULE,
            "must",
            Ask("closing", query, method=method),
            Want(status, goes_on=None, also=closed_once, least=1),
        )
        for name, query, method, status in (
            ("at-the-end", "", "GET", 200),
            ("of-head", "", "HEAD", 200),
            ("of-304", "304+Not+Modified", "GET", 304),
        )
    ],
    Check(
        "closed-apart-from-its-iterator",
        RULE,
        "must",
        Ask("closing_apart"),
        Want(body=b"onetwo", also=closed_once, least=1),
    ),
    Check(
        "close-fails",
        RULE,
        "robust",
        Ask("close_fails"),
        Want(
            body=b"body",
            complete=None,
            goes_on=None,
            also=closed_once,
            least=1,
        ),
    ),
    Check(
        "length-exact",
        RULE,
        "must",
        Ask("length", "6,abc,def"),
        Want(body=b"abcdef"),
    ),
    Check(
        "length-too-short",
        RULE,
        "must",
        Ask("length", "9,abc,def"),
        Want(complete=False, goes_on=False),
    ),
    Check(
        "length-too-long",
        RULE,
        "must",
        Ask("length", "4,abc,def,ghi"),
        Want(body=b"abcd", goes_on=None),
    ),
    *[
        Check(
            "length-" + name,
            RULE,
            "robust",
            ask,
            Want(
                (200, 500), complete=None, goes_on=None, also=not_on_the_wire
            ),
        )
        for name, ask in (
            ("text", Ask("length", "abc,body")),
            ("negative", Ask("length", "-1,body")),
            ("twice", Ask("two_lengths")),
        )
    ],
    Check(
        "head",
        "9110 9.3.2",
        "must",
        Ask("of_list", method="HEAD"),
        Want(body=b""),
    ),
    Check(
        "204",
        "9110 15.3.5",
        "must",
        Ask("status_with_body", "204+No+Content"),
        Want(204, b"", goes_on=None, also=no_framing),
    ),
    Check(
        "304",
        "9110 15.4.5",
        "must",
        Ask("status_with_body", "304+Not+Modified"),
        Want(304, b"", goes_on=None),
    ),
    *[
        Check(
            "file-%s-%s" % (kind, name),
            "PEP 3333 file handling",
            "robust",
            Ask("file_wrapper", "%s,%s" % (kind, rest)),
            Want(body=body),
        )
        for kind in ("file", "memory")
        for name, rest, body in (
            ("whole", "0,", FILE),
            ("offset", "1000,", FILE[1000:]),
            ("cut", "1000,500", FILE[1000:1500]),
        )
    ],
    Check(
        "file-closed",
        "PEP 3333 file handling",
        "must",
        Ask("file_wrapper", "memory,0,"),
        Want(body=FILE, also=closed_once, least=1),
    ),
    Check(
        "file-iterated",
        "PEP 3333 file handling",
        "robust",
        Ask("file_iterated"),
        Want(body=FILE),
    ),
    Check(
        "file-of-the-kernel",
        "PEP 3333 file handling",
        "robust",
        Ask("file_of_kernel"),
        Want(
            also=lambda answer, notes: (
                ""
                if answer.body.startswith(b"Linux")
                else "its size is believed: %r" % answer.body[:20]
            )
        ),
    ),
]

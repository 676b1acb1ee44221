"""Clients that stall: others must be answered, and an answer that nobody
reads must not be kept in memory. A server is free in both; behind one that
fails, a buffering proxy has to stand."""

from wsgibench.audit.faults.fault import Fault, Notes, request

CROWD = 100
MEBIBYTE = 1 << 20
#: Buffers of the kernel and 16 MiB of its own (waitress) are in it.
PULLED = 50 * MEBIBYTE


def paused(notes: Notes) -> str:
    """How much of an answer was made that nobody read."""
    sizes = [note[1] for note in notes if note[0] == "stopped"]
    if sizes and max(sizes) > PULLED:
        return "made %d MiB of an answer that nobody read" % (
            max(sizes) // MEBIBYTE
        )
    return ""


FAULTS = [
    Fault("silent", "robust", "robust", clients=CROWD, meanwhile=True),
    Fault(
        "head",
        "robust",
        "robust",
        b"GET / HTTP/1.1\r\nHost: a\r\nX-A: ",
        clients=CROWD,
        meanwhile=True,
    ),
    Fault(
        "body",
        "robust",
        "robust",
        request("reads_in_upload", "POST", ("Content-Length: 1000",)) + b"x",
        clients=CROWD,
        meanwhile=True,
    ),
    Fault(
        "kept-alive",
        "robust",
        "robust",
        request("last"),
        clients=CROWD,
        read=1,
        meanwhile=True,
    ),
    Fault(
        "answer",
        "robust",
        "robust",
        request("big_block"),
        clients=20,
        meanwhile=True,
    ),
    Fault(
        "endless-answer",
        "robust",
        "robust",
        request("endless"),
        meanwhile=True,
        noted=paused,
        notes=1,
        within=3.0,
    ),
]

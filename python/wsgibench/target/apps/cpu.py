"""A list of 100,000 numbers as JSON: work for the processor alone."""

import json

CONTENT_TYPE = "application/json"
COUNT = 100000
PIECE = 10000


def task():
    return json.dumps({"message": list(range(COUNT))}).encode("ascii")


def steps():
    """The same text, made in pieces."""
    parts = []
    for start in range(0, COUNT, PIECE):
        parts.append(json.dumps(list(range(start, start + PIECE)))[1:-1])
        yield 0
    text = '{"message": [' + ", ".join(parts) + "]}"
    yield text.encode("ascii")

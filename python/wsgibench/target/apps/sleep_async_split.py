"""A tenth of a second of waiting in ten pieces."""

from wsgibench_target.apps.hello import PAGE

PIECES = 10
SECONDS = 0.1


def steps():
    for _ in range(PIECES):
        yield SECONDS / PIECES
    yield PAGE

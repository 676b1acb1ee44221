"""A tenth of a second of waiting, that a loop may do for us."""

from wsgibench_target.apps.hello import PAGE

SECONDS = 0.1


def steps():
    yield SECONDS
    yield PAGE

"""The same three waits as three steps, that a loop may do for us."""

from wsgibench_target.apps.hello import PAGE
from wsgibench_target.apps.sleep_long import SECONDS


def steps():
    for seconds in SECONDS:
        yield seconds
    yield PAGE

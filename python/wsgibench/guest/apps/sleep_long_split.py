"""The same three waits as three steps, that a loop may do for us."""

from wsgibench_guest.apps.hello import PAGE
from wsgibench_guest.apps.sleep_long import SECONDS


def steps():
    for seconds in SECONDS:
        yield seconds
    yield PAGE

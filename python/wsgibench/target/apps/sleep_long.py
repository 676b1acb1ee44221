"""Three waits, 20, 60 and 200 ms, with the blocking call."""

import time

from wsgibench_target.apps.hello import PAGE

SECONDS = (0.02, 0.06, 0.2)


def task():
    for seconds in SECONDS:
        time.sleep(seconds)
    return PAGE

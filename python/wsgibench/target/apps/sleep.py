"""A tenth of a second of waiting, with the blocking call."""

import time

from wsgibench_target.apps.hello import PAGE

SECONDS = 0.1


def task():
    time.sleep(SECONDS)
    return PAGE

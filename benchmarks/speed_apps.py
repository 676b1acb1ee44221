"""What speed.py's servers run beside the page of hello."""

from __future__ import annotations

import time
from typing import Any

from hello_app import application

#: Seconds that a request of `waits` waits: a database's answer.
WAIT = 0.005

#: Rounds of a loop in pure Python that take about a millisecond.
ROUNDS = 18_000

hello = application


def waits(environ: Any, start_response: Any) -> list[bytes]:
    time.sleep(WAIT)
    return application(environ, start_response)


def computes(environ: Any, start_response: Any) -> list[bytes]:
    total = 0
    for number in range(ROUNDS):
        total ^= number
    assert total >= 0
    return application(environ, start_response)

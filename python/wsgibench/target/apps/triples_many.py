"""Ten queries to the triple store for each request."""

from wsgibench_target.apps.triples import (  # noqa: F401
    CONTENT_TYPE,
    answer,
    ask,
    fetches,
    setup,
)


def cooperates():
    return fetches(10)


def task():
    return answer(10, ask)

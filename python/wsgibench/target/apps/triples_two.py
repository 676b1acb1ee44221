"""Two queries to the triple store for each request."""

from wsgibench_target.apps.triples import (  # noqa: F401
    CONTENT_TYPE,
    answer,
    ask,
    fetches,
    setup,
)


def cooperates():
    return fetches(2)


def task():
    return answer(2, ask)

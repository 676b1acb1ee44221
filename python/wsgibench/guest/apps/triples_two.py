"""Two queries to the triple store for each request."""

from wsgibench_guest.apps.triples import CONTENT_TYPE, answer, ask, setup  # noqa: F401


def task():
    return answer(2, ask)

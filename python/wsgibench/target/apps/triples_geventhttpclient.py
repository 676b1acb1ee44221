"""One query to the triple store, with a client that is made for gevent and
keeps its connections."""

from wsgibench_target.apps import triples
from wsgibench_target.apps.triples import CONTENT_TYPE, answer, setup  # noqa: F401


def ask(number):
    state = triples._state
    if "client" not in state:  # in this process, not in the one before fork
        from geventhttpclient import HTTPClient

        state["client"] = HTTPClient(state["host"], port=state["port"], concurrency=100)
    response = state["client"].get(triples.parameters(number))
    body = response.read()
    if response.status_code != 200:
        raise RuntimeError("the triple store answered %d" % response.status_code)
    return triples.name_in(bytes(body))


def task():
    return answer(1, ask)

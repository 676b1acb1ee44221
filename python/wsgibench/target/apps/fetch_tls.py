"""Fetches a page over HTTPS, trusting the origin's own authority only."""

from wsgibench_target.work import Fetch

_state = {}


def setup(services):
    _state.update(services["tls-origin"])


def cooperates():
    yield (yield Fetch(_state["page"], _state["ca"]))


def task():
    import requests

    response = requests.get(_state["page"], verify=_state["ca"], timeout=30)
    response.raise_for_status()
    return response.content

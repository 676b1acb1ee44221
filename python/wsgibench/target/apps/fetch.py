"""Fetches a page from another server, with requests, and passes it on."""

from wsgibench_target.work import Fetch

_state = {}


def setup(services):
    for name in ("far-origin", "near-origin"):
        if name in services:
            _state["url"] = services[name]["page"]


def cooperates():
    yield (yield Fetch(_state["url"], ""))


def task():
    import requests

    response = requests.get(_state["url"], timeout=30)
    response.raise_for_status()
    return response.content

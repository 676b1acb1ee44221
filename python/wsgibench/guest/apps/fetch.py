"""Fetches a page from another server, with requests, and passes it on."""

_state = {}


def setup(services):
    for name in ("far-origin", "near-origin"):
        if name in services:
            _state["url"] = services[name]["page"]


def task():
    import requests

    response = requests.get(_state["url"], timeout=30)
    response.raise_for_status()
    return response.content

"""The same page, fetched by a pool of threads (requests-futures)."""

_state = {}


def setup(services):
    _state["url"] = services["far-origin"]["page"]


def task():
    if "session" not in _state:  # in this process, not in the one before fork
        from requests_futures.sessions import FuturesSession

        _state["session"] = FuturesSession()
    response = _state["session"].get(_state["url"], timeout=30).result()
    response.raise_for_status()
    return response.content

"""One value from Redis."""

_state = {}


def setup(services):
    _state.update(services["redis"])


def cooperates():
    """With the library's client for asyncio, which Tornado's loop is."""
    if "loop_client" not in _state:
        import redis.asyncio

        _state["loop_client"] = redis.asyncio.Redis(host=_state["host"], port=_state["port"])
    yield (yield _state["loop_client"].get(_state["key"]))


def task():
    if "client" not in _state:  # in this process, not in the one before fork
        import redis

        _state["client"] = redis.Redis(
            host=_state["host"], port=_state["port"]
        )
    return _state["client"].get(_state["key"])

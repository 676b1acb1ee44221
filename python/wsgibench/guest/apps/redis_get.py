"""One value from Redis."""

_state = {}


def setup(services):
    _state.update(services["redis"])


def task():
    if "client" not in _state:  # in this process, not in the one before fork
        import redis

        _state["client"] = redis.Redis(
            host=_state["host"], port=_state["port"]
        )
    return _state["client"].get(_state["key"])

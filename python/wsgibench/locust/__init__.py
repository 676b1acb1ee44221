"""Locust's master and workers, with the C generator inside each worker.

In a locustfile::

    from wsgibench.locust import FastUser

    class Shopper(FastUser):
        host = "http://127.0.0.1:8000"
        requests = ("/", "/item/{number:1-500}")

Importing it gives ``locust`` the option ``--load-json FILE``: the load record
of all workers' FastUsers (docs/distributed.md).
"""

from __future__ import annotations

from wsgibench.errors import UsageError

try:
    import locust as _locust  # noqa: F401
except ImportError as error:
    raise UsageError(
        "several machines need Locust: pip install 'wsgibench[locust]'."
    ) from error

from wsgibench.locust import plugin
from wsgibench.locust.user import FastUser

plugin.register()

__all__ = ["FastUser"]

"""A worker class for gunicorn: ``gunicorn -k wsgibench.gunicorn.Worker``.

gunicorn forks, binds, reloads and watches; the worker serves with the C
server. It honours every setting of gunicorn's that touches a worker, or
refuses to start with one sentence that names it (settings.py).

Anything else of the C server (``wsgibench.native.settings``) is set through
the environment variable WSGIBENCH_SETTINGS: "head_timeout=5 max_head=9000".
"""

from __future__ import annotations

from wsgibench.gunicorn.worker import Worker

__all__ = ["Worker"]

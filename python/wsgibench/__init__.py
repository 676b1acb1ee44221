"""A fast, correct WSGI server in C, and the harness that races it.

In a program::

    import wsgibench
    wsgibench.serve(app, "127.0.0.1", 8000)
    with wsgibench.Server(app, port=0) as server:
        print(server.url)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"
__all__ = ["Server", "__version__", "serve"]

if TYPE_CHECKING:
    from wsgibench.native.serve import serve
    from wsgibench.native.server import Server


def __getattr__(name: str) -> Any:
    # Lazily: the harness must be importable where the server is not built.
    if name == "serve":
        from wsgibench.native.serve import serve

        return serve
    if name == "Server":
        from wsgibench.native.server import Server

        return Server
    raise AttributeError("module 'wsgibench' has no attribute %r" % name)

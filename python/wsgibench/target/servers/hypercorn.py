"""Hypercorn, an ASGI server, with its own bridge to WSGI."""

from __future__ import absolute_import

NAME = "hypercorn"
REQUIRES = ["hypercorn"]
INTERPRETERS = {"CPython": ">=3.8", "PyPy": ">=3.8"}
HOLES = {"CPython": "Hypercorn's bridge to WSGI needs CPython 3.8 or later"}
SETTINGS = {"keep_alive": True, "access_log": False, "workers": 1}
BEST = "its defaults; the access log off"


def serve(app, sock, ready, options):
    import asyncio
    import signal

    from hypercorn.asyncio import serve as serve_asgi
    from hypercorn.config import Config

    config = Config()
    config.bind = ["fd://%d" % sock.fileno()]
    config.backlog = options["backlog"]
    config.accesslog = None
    config.errorlog = None
    config.keep_alive_max_requests = 1 << 31

    async def main():
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        ready(worker_class=config.worker_class)
        await serve_asgi(app, config, mode="wsgi", shutdown_trigger=stop.wait)

    asyncio.run(main())

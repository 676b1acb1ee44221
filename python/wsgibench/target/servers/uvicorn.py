"""uvicorn, an ASGI server, with a bridge to WSGI (a2wsgi)."""

from __future__ import absolute_import

NAME = "uvicorn"
REQUIRES = [
    "uvicorn",
    "a2wsgi",
    "uvloop; platform_python_implementation == 'CPython'",
    "httptools; platform_python_implementation == 'CPython'",
]
INTERPRETERS = {"CPython": ">=3.7", "PyPy": ">=3.7"}
HOLES = {"CPython": "the bridge a2wsgi needs CPython 3.7 or later"}
SETTINGS = {"keep_alive": True, "access_log": False, "workers": 1}
OPTIONS = {"threads": 10}
BEST = "uvloop and httptools where they build; the access log off"


def serve(app, sock, ready, options):
    import uvicorn
    from a2wsgi import WSGIMiddleware

    config = uvicorn.Config(
        WSGIMiddleware(app, workers=options["threads"]),
        access_log=False,
        log_level="error",
        lifespan="off",
        backlog=options["backlog"],
    )
    config.load()
    ready(protocol=config.http_protocol_class.__name__)
    uvicorn.Server(config).run(sockets=[sock])

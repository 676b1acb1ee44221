"""gunicorn with meinheld's worker."""

from __future__ import absolute_import

NAME = "gunicorn-meinheld"
REQUIRES = ["gunicorn", "meinheld"]
INTERPRETERS = {"CPython": ">=2.7,<3.10"}
HOLES = {
    "CPython": "meinheld does not build on CPython 3.10 and later",
    "PyPy": "meinheld is written for the C API of CPython",
}
SETTINGS = {"keep_alive": False, "access_log": False}
OPTIONS = {"workers": 1}
BEST = "keep-alive off, as its worker has it"


def serve(app, sock, ready, options):
    from wsgibench_target.servers._gunicorn import run

    run(
        app,
        sock,
        ready,
        options,
        dict(worker_class="meinheld.gmeinheld.MeinheldWorker"),
    )

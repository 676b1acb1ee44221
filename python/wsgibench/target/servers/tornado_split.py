"""Tornado with the work cut into small steps, a turn of the loop for each."""

from __future__ import absolute_import

NAME = "tornado-split"
REQUIRES = ["tornado"]
INTERPRETERS = {"CPython": ">=3.5", "PyPy": ">=3.5"}
HOLES = {"CPython": "gen.moment is a wait of its own since Tornado 4.5 only"}
SPEAKS = ["split"]
SETTINGS = {"keep_alive": True, "access_log": False, "workers": 1}
BEST = "steps of some milliseconds"


def serve_work(work, sock, ready, options):
    from tornado import gen
    from wsgibench_target.servers._tornado import serve_pages

    @gen.coroutine
    def answer():
        for step in work.steps():
            if isinstance(step, bytes):
                raise gen.Return(step)
            if step:
                yield gen.sleep(step)
            else:
                yield gen.moment

    serve_pages(work, sock, ready, options, answer)

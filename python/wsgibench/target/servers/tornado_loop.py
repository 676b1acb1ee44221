"""Tornado with the work on its one loop: who computes, blocks the rest."""

from __future__ import absolute_import

NAME = "tornado-loop"
REQUIRES = ["tornado"]
INTERPRETERS = {"CPython": ">=2.7", "PyPy": ">=2.7"}
SPEAKS = ["page", "task"]
SETTINGS = {"keep_alive": True, "access_log": False, "workers": 1}
BEST = "waiting and fetching by the loop (gen.sleep, AsyncHTTPClient), where the work has such a form"


def serve_work(work, sock, ready, options):
    from tornado import gen
    from wsgibench_target.servers._tornado import cooperating, serve_pages

    @gen.coroutine
    def whole():
        raise gen.Return(work.run())

    @gen.coroutine
    def waiting():
        for step in work.steps():
            if isinstance(step, bytes):
                raise gen.Return(step)
            if step:  # no turn of the loop for a step that does not wait
                yield gen.sleep(step)

    if work.cooperates is not None:
        answer = cooperating(work)
    else:
        answer = waiting if work.splits else whole
    serve_pages(work, sock, ready, options, answer)

"""Tornado with the work in a ProcessPoolExecutor."""

from __future__ import absolute_import

NAME = "tornado-processes"
REQUIRES = ["tornado", "futures; python_version < '3'"]
INTERPRETERS = {"CPython": ">=2.7", "PyPy": ">=2.7"}
SPEAKS = ["page", "task"]
SETTINGS = {"keep_alive": True, "access_log": False, "workers": 1}
OPTIONS = {"processes": 4}
BEST = "one process for each CPU, more for work that waits"

_work = []


def run_work():
    """In a process of the pool, which was forked with ``_work`` filled."""
    return _work[0].run()


def serve_work(work, sock, ready, options):
    from concurrent.futures import ProcessPoolExecutor

    from wsgibench_target.servers._tornado import serve_pages

    _work.append(work)
    settings = {}
    try:
        import multiprocessing

        settings["mp_context"] = multiprocessing.get_context("fork")
        pool = ProcessPoolExecutor(options["processes"], **settings)
    except (AttributeError, TypeError):  # before 3.7 there is only fork
        pool = ProcessPoolExecutor(options["processes"])
    pool.submit(run_work).result()  # forks before there is a loop
    serve_pages(work, sock, ready, options, lambda: pool.submit(run_work))

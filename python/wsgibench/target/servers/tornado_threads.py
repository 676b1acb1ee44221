"""Tornado with the work in a ThreadPoolExecutor."""

from __future__ import absolute_import

NAME = "tornado-threads"
REQUIRES = ["tornado", "futures; python_version < '3'"]
INTERPRETERS = {"CPython": ">=2.7", "PyPy": ">=2.7"}
SPEAKS = ["page", "task"]
SETTINGS = {"keep_alive": True, "access_log": False, "workers": 1}
OPTIONS = {"threads": 10}
BEST = "as many threads as requests that wait at a time"


def serve_work(work, sock, ready, options):
    from concurrent.futures import ThreadPoolExecutor

    from wsgibench_target.servers._tornado import serve_pages

    pool = ThreadPoolExecutor(options["threads"])
    serve_pages(work, sock, ready, options, lambda: pool.submit(work.run))

"""Tornado with the work on its one loop, and libcurl as its HTTP client."""

from __future__ import absolute_import

NAME = "tornado-loop-curl"
REQUIRES = [
    "tornado",
    "pycurl; platform_python_implementation == 'CPython'",
    # What came after does not build on it.
    "pycurl==7.43.0.6; platform_python_implementation == 'PyPy'",
]
PACKAGES = ["libcurl4-openssl-dev", "libssl-dev"]
INTERPRETERS = {"CPython": ">=3.6", "PyPy": ">=3.6"}
SPEAKS = ["page", "task"]
SETTINGS = {"keep_alive": True, "access_log": False, "workers": 1}
BEST = "the faster of Tornado's two clients"


def serve_work(work, sock, ready, options):
    from tornado.httpclient import AsyncHTTPClient
    from wsgibench_target.servers import tornado_loop

    AsyncHTTPClient.configure("tornado.curl_httpclient.CurlAsyncHTTPClient", max_clients=100)
    tornado_loop.serve_work(work, sock, ready, options)

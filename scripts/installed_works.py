"""Does the installed package work? Says nothing and ends with 0 if so.

Imports the binding, serves a request over a socket and asks for TLS: a wheel
that lacks a library fails here. It needs nothing but the package and is run by
the interpreter that has it, by scripts/wheels.py and by
.github/workflows/wheels.yml.
"""

import http.client

import wsgibench
from wsgibench import native

BODY = b"it works"


def application(environ, start_response):
    start_response("200 OK", [("Content-Length", str(len(BODY)))])
    return [BODY]


with wsgibench.Server(application, "127.0.0.1", port=0) as server:
    client = http.client.HTTPConnection(*server.address, timeout=60)
    client.request("GET", "/")
    response = client.getresponse()
    assert (response.status, response.read()) == (200, BODY), response.status
    client.close()
assert native.binding().LoadGenerator.has_tls(), "it was built without OpenSSL"

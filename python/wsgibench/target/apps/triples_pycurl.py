"""One query to the triple store, with libcurl."""

import io

from wsgibench_target.apps import triples
from wsgibench_target.apps.triples import CONTENT_TYPE, answer, setup  # noqa: F401


def ask(number):
    import pycurl

    body = io.BytesIO()
    curl = pycurl.Curl()
    url = "http://%(host)s:%(port)d" % triples._state
    curl.setopt(pycurl.URL, (url + triples.parameters(number)).encode("ascii"))
    curl.setopt(pycurl.WRITEDATA, body)
    curl.setopt(pycurl.TIMEOUT, 30)
    curl.setopt(pycurl.NOSIGNAL, 1)
    curl.perform()
    status = curl.getinfo(pycurl.RESPONSE_CODE)
    curl.close()
    if status != 200:
        raise RuntimeError("the triple store answered %d" % status)
    return triples.name_in(body.getvalue())


def task():
    return answer(1, ask)

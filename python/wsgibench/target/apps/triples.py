"""SPARQL queries to a triple store, with the library's own HTTP client.

Many queries to one request: a page that shows several things asks for each.
"""

import json

from wsgibench_target.work import Fetch

CONTENT_TYPE = "application/json"
QUERIES = 1
_state = {}


def setup(services):
    _state.update(services["virtuoso"])


def query(number):
    return (
        "SELECT ?name WHERE { <http://wsgibench.test/person/%d> "
        "<http://wsgibench.test/name> ?name }" % number
    )


def parameters(number):
    try:
        from urllib import urlencode
    except ImportError:
        from urllib.parse import urlencode

    return "%s?%s" % (
        _state["path"],
        urlencode(
            {
                "query": query(number),
                "format": "application/sparql-results+json",
            }
        ),
    )


def ask(number):
    """The name of one person."""
    try:
        from httplib import HTTPConnection
    except ImportError:
        from http.client import HTTPConnection

    connection = HTTPConnection(_state["host"], _state["port"], timeout=30)
    try:
        connection.request("GET", parameters(number))
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    if response.status != 200:
        raise RuntimeError("the triple store answered %d" % response.status)
    return name_in(body)


def name_in(body):
    rows = json.loads(body.decode("utf-8"))["results"]["bindings"]
    return rows[0]["name"]["value"]


def answer(count, one):
    names = [one(number) for number in range(count)]
    return json.dumps(names).encode("ascii")


def fetches(count):
    """The same by a loop's own client, all queries of a request in turn."""
    url = "http://%(host)s:%(port)d" % _state
    names = []
    for number in range(count):
        body = yield Fetch(url + parameters(number), "")
        names.append(name_in(body))
    yield json.dumps(names).encode("ascii")


def cooperates():
    return fetches(1)


def task():
    return answer(1, ask)

"""Fetches a feed over HTTPS, parses it twenty times, as the published
benchmark did, and answers with a summary."""

import xml.etree.ElementTree

from wsgibench_target.work import Fetch

PARSINGS = 20
_state = {}


def setup(services):
    _state.update(services["tls-origin"])


def cooperates():
    yield summary((yield Fetch(_state["feed"], _state["ca"])))


def task():
    import requests

    response = requests.get(_state["feed"], verify=_state["ca"], timeout=30)
    response.raise_for_status()
    return summary(response.content)


def summary(feed):
    for _ in range(PARSINGS):
        root = xml.etree.ElementTree.fromstring(feed)
    items = root.findall("channel/item")
    total = sum(int(item.findtext("size")) for item in items)
    last = items[-1].findtext("title")
    text = "%d items, %d bytes, last: %s\n" % (len(items), total, last)
    return text.encode("utf-8")

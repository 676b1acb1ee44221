"""Fetches a feed over HTTPS, parses it, and answers with a summary."""

import xml.etree.ElementTree

_state = {}


def setup(services):
    _state.update(services["tls-origin"])


def task():
    import requests

    response = requests.get(_state["feed"], verify=_state["ca"], timeout=30)
    response.raise_for_status()
    root = xml.etree.ElementTree.fromstring(response.content)
    items = root.findall("channel/item")
    total = sum(int(item.findtext("size")) for item in items)
    last = items[-1].findtext("title")
    text = "%d items, %d bytes, last: %s\n" % (len(items), total, last)
    return text.encode("utf-8")

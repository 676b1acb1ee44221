"""Fetching from another web server: near, over a slow link, by HTTPS."""

from __future__ import annotations

from typing import Any

from wsgibench.services import _content

SCENARIOS: dict[str, dict[str, Any]] = {
    "network-near": {
        "about": "fetch a page from a local web server",
        "app": "fetch",
        "body": _content.PAGE,
        "requires": ["requests"],
        "services": ["near-origin"],
    },
    "network-far": {
        "about": "fetch a page over a link with 50 ms of round trip",
        "app": "fetch",
        "body": _content.PAGE,
        "requires": ["requests"],
        "services": ["far-origin"],
        "delay": 0.1,
    },
    "network-https": {
        "about": "fetch a page over HTTPS",
        "app": "fetch_tls",
        "body": _content.PAGE,
        "requires": ["requests"],
        "services": ["tls-origin"],
        "delay": 0.02,
    },
    "network-https-xml": {
        "about": "fetch a feed over HTTPS and parse it",
        "app": "fetch_xml",
        "body": _content.feed_summary,
        "requires": ["requests"],
        "services": ["tls-origin"],
        "delay": 0.03,
    },
    "request": {
        "about": "fetch a page over a link with 50 ms of round trip "
        "(framewut)",
        "app": "fetch",
        "body": _content.PAGE,
        "requires": ["requests"],
        "services": ["far-origin"],
        "delay": 0.1,
    },
    "concurrent-requests": {
        "about": "fetch a page over that link with requests-futures",
        "app": "fetch_futures",
        "body": _content.PAGE,
        "requires": ["requests-futures"],
        "services": ["far-origin"],
        "delay": 0.1,
    },
}

"""A pool of visitors, some of whom come often and most of them seldom.

Visitor number k of 10,000 comes with a likelihood of 1/k (a Zipf law with
exponent 1): the first makes a tenth of all requests, half of them are made by
the first 75 or so. Each has an address, a user agent, a language and a
session cookie of his own, so his requests repeat each other byte for byte.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Sequence

COUNT = 10_000
FIELDS = ("address", "agent", "cookie", "language")

AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/%d.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, "
    "like Gecko) Chrome/%d.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:%d.0) Gecko/20100101 "
    "Firefox/128.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.%d Safari/605.1.15",
)
LANGUAGES = (
    "en-US,en;q=0.9",
    "de-DE,de;q=0.9,en;q=0.8",
    "fr-FR,fr;q=0.9,en;q=0.8",
    "pl-PL,pl;q=0.9,en-US;q=0.8,en;q=0.7",
)


def _visitor(number: int, rng: random.Random) -> dict[str, str]:
    return {
        "address": "10.7.%d.%d" % divmod(number, 256),
        "agent": rng.choice(AGENTS) % rng.randrange(100, 140),
        "cookie": "session=%032x; theme=%s"
        % (rng.getrandbits(128), rng.choice(("dark", "light"))),
        "language": rng.choice(LANGUAGES),
    }


@functools.lru_cache(maxsize=1)
def _all() -> list[dict[str, str]]:
    rng = random.Random(COUNT)
    return [_visitor(number, rng) for number in range(COUNT)]


def texts(field: str) -> list[bytes]:
    return [visitor[field].encode("ascii") for visitor in _all()]


def likelihoods() -> tuple[list[int], list[int]]:
    return alias_table([1 / rank for rank in range(1, COUNT + 1)])


def alias_table(weights: Sequence[float]) -> tuple[list[int], list[int]]:
    """(keep, alias) of ``wl_pool``: Vose's way to Walker's table."""
    count = len(weights)
    total = sum(weights)
    shares = [weight * count / total for weight in weights]
    keep = [(1 << 32) - 1] * count
    alias = list(range(count))
    small = [i for i in range(count) if shares[i] < 1]
    large = [i for i in range(count) if shares[i] >= 1]
    while small and large:
        less = small.pop()
        more = large[-1]
        keep[less] = min((1 << 32) - 1, round(shares[less] * (1 << 32)))
        alias[less] = more
        shares[more] -= 1 - shares[less]
        if shares[more] < 1:
            small.append(large.pop())
    return keep, alias

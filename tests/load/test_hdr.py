"""The histogram and its V2 form, against HdrHistogram's own package."""

from __future__ import annotations

import base64
import random
import struct
import zlib
from typing import Any, Callable

import pytest

from wsgibench.load.hdr import (
    COMPRESSED_COOKIE,
    COOKIE,
    DIGITS,
    HEADER,
    HIGHEST,
    Histogram,
    _numbers,
    _zigzags,
    highest_value,
    lowest_value,
    place_of,
)
from wsgibench.load.tail import with_censored


def spread(count: int, seed: int) -> list[int]:
    """From 1 ns to an hour, each power of two alike."""
    draw = random.Random(seed)
    return [int(HIGHEST ** draw.random()) for _ in range(count)]


def test_places_are_three_digits_wide() -> None:
    for value in [*range(5000), *spread(5000, 1), HIGHEST]:
        place = place_of(value)
        low, high = lowest_value(place), highest_value(place)
        assert low <= value <= high
        assert high - low <= max(0, value / 1000)
        assert place_of(high + 1) == place + 1


def test_round_trip() -> None:
    histogram = Histogram.of(spread(20_000, 2))
    again = Histogram.decode(histogram.encode())
    assert again.places == histogram.places
    assert Histogram.decode(Histogram().encode()).places == {}


def test_merging_loses_nothing() -> None:
    values = spread(3000, 3)
    whole = Histogram.of(values)
    parts = Histogram()
    for start in range(0, 3000, 1000):
        part = Histogram.of(values[start : start + 1000])
        parts.add(Histogram.decode(part.encode()))
    assert parts.places == whole.places
    assert parts.quantile(0.99) == whole.quantile(0.99)


def test_against_hdrhistogram() -> None:
    """Ours is read by theirs and theirs by ours, count for count."""
    module = pytest.importorskip("hdrh.histogram")
    values = spread(10_000, 4)
    ours = Histogram.of(values)
    theirs = module.HdrHistogram(1, HIGHEST, 3)
    for value in values:
        theirs.record_value(value)
    read = module.HdrHistogram.decode(ours.encode())
    assert read.get_total_count() == 10_000
    for percent in (1, 25, 50, 90, 99, 99.9, 100):
        assert read.get_value_at_percentile(
            percent
        ) == theirs.get_value_at_percentile(percent)
    assert Histogram.decode(theirs.encode().decode()).places == ours.places


def test_a_run_is_read_by_hdrhistogram(
    load: Callable[..., dict[str, Any]], golden: Callable[..., Any]
) -> None:
    module = pytest.importorskip("hdrh.histogram")
    result = load(golden().url, connections=4, requests=500, rate=2000)
    for name in ("service", "response", "connect", "first_byte", "lag"):
        read = module.HdrHistogram.decode(result[name]["hdr"])
        assert read.get_total_count() == result[name]["count"] > 0
        median = read.get_value_at_percentile(50)
        assert median == pytest.approx(result[name]["p50_ns"], rel=0.01)
    parts = Histogram()
    for window in [*result["windows"], result["drain"]]:
        parts.add(Histogram.decode(window["response"]))
    whole = Histogram.decode(result["response"]["hdr"])
    assert parts.places == whole.places


def test_censored_values_make_lower_bounds() -> None:
    answered = Histogram.of([1000] * 980)
    tail = with_censored(answered, Histogram.of([5000] * 20))
    assert tail["count"] == 1000
    assert tail["censored"] == 20
    assert tail["at_least"] == [
        "mean_ns",
        "p99_ns",
        "p99.9_ns",
        "p99.99_ns",
        "max_ns",
    ]
    assert tail["p50_ns"] == tail["p90_ns"] == 1000
    assert tail["p99_ns"] == pytest.approx(5000, rel=0.001)
    whole = with_censored(answered, Histogram())
    assert whole["at_least"] == []
    # One that was given up at once may have taken for ever.
    early = with_censored(answered, Histogram.of([10]))
    assert "p50_ns" in early["at_least"]


def encoded(payload: bytes) -> str:
    """A histogram of these numbers, whatever they are."""
    head = HEADER.pack(COOKIE, len(payload), 0, DIGITS, 1, HIGHEST, 1.0)
    packed = zlib.compress(head + payload)
    prefix = struct.pack(">ii", COMPRESSED_COOKIE, len(packed))
    return base64.b64encode(prefix + packed).decode("ascii")


LARGEST_COUNT = 2**63 - 1


def test_the_largest_count_is_read() -> None:
    payload = bytes(_zigzags([LARGEST_COUNT]))
    assert len(payload) == 10
    assert Histogram.decode(encoded(payload)).places == {0: LARGEST_COUNT}


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"\xff" * 10 + b"\x01", "more than 64 bits"),
        (b"\xff" * 300_000, "more than 64 bits"),  # 480 bytes of base64
        (b"\xff" * 9 + b"\x02", "more than 64 bits"),
        (bytes(_zigzags([10**400])), "more than 64 bits"),
        (b"\x02\xff", "has no end"),
        (b"\xff", "has no end"),
    ],
)
def test_no_number_is_longer_than_a_count(payload: bytes, words: str) -> None:
    """It is refused at its eleventh byte: what follows is not read."""
    seen = iter(payload)
    with pytest.raises(ValueError, match=words):
        list(_numbers(seen))
    assert len(payload) - len(list(seen)) <= 11
    with pytest.raises(ValueError, match=words):
        Histogram.decode(encoded(payload))

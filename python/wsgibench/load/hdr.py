"""The generator's histograms: HdrHistogram's arithmetic and its V2 format.

2048 sub-buckets (three significant digits), values in nanoseconds from 1 to
one hour. Counts are kept by place in the counts array, empty places are not
kept, and merging adds counts, so nothing is lost by it.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterable, Iterator

DIGITS = 3
SUB_BITS = 11  # 2048 sub-buckets
HIGHEST = 3_600_000_000_000

# HdrHistogram's AbstractHistogram.java: the cookie's low nibble before the
# last is the word size, 1 meaning ZigZag LEB128.
COOKIE = 0x1C849303 | 0x10
COMPRESSED_COOKIE = 0x1C849304 | 0x10
HEADER = struct.Struct(">iiiiqqd")
LARGEST = 1 << 20  # bytes of one, uncompressed
LAST_SHIFT = 63  # of the seven bits in a byte of a number: the tenth


def highest_value(place: int) -> int:
    """The largest value that is counted in this place."""
    bucket = max(0, (place >> (SUB_BITS - 1)) - 1)
    sub = place - (bucket << (SUB_BITS - 1))
    return ((sub + 1) << bucket) - 1


def lowest_value(place: int) -> int:
    bucket = max(0, (place >> (SUB_BITS - 1)) - 1)
    return (place - (bucket << (SUB_BITS - 1))) << bucket


def place_of(value: int) -> int:
    bucket = max(0, value.bit_length() - SUB_BITS)
    return (bucket << (SUB_BITS - 1)) + (value >> bucket)


PLACES = place_of(HIGHEST) + 2  # what is counted as the largest, too


class Histogram:
    """Counts by place; ``total`` is the sum of the values, for the mean."""

    def __init__(self) -> None:
        self.places: dict[int, int] = {}
        self.total = 0.0
        self.max = 0

    @classmethod
    def from_pairs(
        cls, pairs: list[int], mean: float = 0.0, max_value: int = 0
    ) -> Histogram:
        """``[place, count, place, count ...]``, the generator's own form."""
        histogram = cls()
        histogram.places = dict(zip(pairs[::2], pairs[1::2]))
        histogram.total = mean * histogram.count
        histogram.max = max_value
        return histogram

    @classmethod
    def of(cls, values: Iterable[int]) -> Histogram:
        histogram = cls()
        for value in values:
            place = place_of(value)
            histogram.places[place] = histogram.places.get(place, 0) + 1
            histogram.total += value
            histogram.max = max(histogram.max, value)
        return histogram

    @property
    def count(self) -> int:
        return sum(self.places.values())

    @property
    def mean(self) -> float:
        return self.total / self.count if self.places else 0.0

    def add(self, other: Histogram) -> None:
        for place, count in other.places.items():
            self.places[place] = self.places.get(place, 0) + count
        self.total += other.total
        self.max = max(self.max, other.max)

    def quantile(self, q: float) -> int:
        """The largest value equivalent to the quantile's (q: 0 to 1)."""
        rank = max(1, int(q * self.count + 0.5))
        seen = 0
        for place in sorted(self.places):
            seen += self.places[place]
            if seen >= rank:
                value = highest_value(place)
                return min(value, self.max) if self.max else value
        return 0

    # -- the V2 format

    def encode(self) -> str:
        """HdrHistogram's V2 compressed form in base64."""
        payload = bytes(_zigzags(_runs(self.places)))
        head = HEADER.pack(COOKIE, len(payload), 0, DIGITS, 1, HIGHEST, 1.0)
        packed = zlib.compress(head + payload)
        prefix = struct.pack(">ii", COMPRESSED_COOKIE, len(packed))
        return base64.b64encode(prefix + packed).decode("ascii")

    @classmethod
    def decode(cls, text: str) -> Histogram:
        """The counts of ``encode``; the values' exact sum is not in them."""
        try:
            return cls._decode(base64.b64decode(text))
        except (struct.error, zlib.error) as error:
            raise ValueError("this is no histogram: %s" % error) from error

    @classmethod
    def _decode(cls, data: bytes) -> Histogram:
        cookie, size = struct.unpack_from(">ii", data)
        if cookie != COMPRESSED_COOKIE:
            raise ValueError("this is not a compressed V2 histogram")
        data = zlib.decompressobj().decompress(data[8 : 8 + size], LARGEST)
        head = HEADER.unpack_from(data)
        if head[0] != COOKIE or head[3] != DIGITS or head[4] != 1:
            raise ValueError("this is not a histogram of wsgibench")
        histogram = cls()
        place = 0
        payload = data[HEADER.size : HEADER.size + head[1]]
        for number in _numbers(payload):
            if number < 0:
                place -= number
                continue
            if place >= PLACES:
                raise ValueError("it has values of over an hour")
            histogram.places[place] = number
            middle = (lowest_value(place) + highest_value(place)) / 2
            histogram.total += number * middle
            histogram.max = highest_value(place)
            place += 1
        return histogram


def _runs(places: dict[int, int]) -> Iterator[int]:
    """Counts in order; -n stands for n empty places."""
    expected = 0
    for place in sorted(places):
        if place > expected:
            yield expected - place
        yield places[place]
        expected = place + 1


def _zigzags(numbers: Iterable[int]) -> Iterator[int]:
    """ZigZag LEB128, least significant seven bits first."""
    for number in numbers:
        rest = number << 1 if number >= 0 else (-number << 1) - 1
        while rest > 0x7F:
            yield rest & 0x7F | 0x80
            rest >>= 7
        yield rest


def _numbers(data: Iterable[int]) -> Iterator[int]:
    """Of 64 bits. Bytes that never end one would make a number as long as
    they, and each of them takes time by that length."""
    value = shift = 0
    for byte in data:
        if shift > LAST_SHIFT:
            raise ValueError("it has a number of more than 64 bits")
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            if value >> 64:
                raise ValueError("it has a number of more than 64 bits")
            yield value >> 1 if value & 1 == 0 else -((value + 1) >> 1)
            value = shift = 0
    if shift:
        raise ValueError("its last number has no end")

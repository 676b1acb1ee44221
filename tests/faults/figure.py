"""A figure and its limit: what a fault test yields."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    name: str
    value: float
    limit: float
    unit: str = ""
    least: bool = False  # the limit is a least, not a most

    @property
    def timed(self) -> bool:
        """A time, or a share of one: a busy machine decides it as well."""
        return self.unit in ("s", "%", "x")

    @property
    def good(self) -> bool:
        if self.least:
            return self.value >= self.limit
        return self.value <= self.limit

    def __str__(self) -> str:
        return "%-52s %12.6g %s %g %s%s" % (
            self.name,
            self.value,
            ">=" if self.least else "<=",
            self.limit,
            self.unit,
            "" if self.good else "   MISSED",
        )


def most(name: str, value: float, limit: float, unit: str = "") -> Figure:
    return Figure(name, value, limit, unit)


def least(name: str, value: float, limit: float, unit: str = "") -> Figure:
    return Figure(name, value, limit, unit, least=True)

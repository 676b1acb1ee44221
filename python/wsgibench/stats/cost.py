"""What requests cost in money and energy.

A vCPU is paid for the time that a request uses it, memory for as long as the
server runs: per million requests at the server's own rate, per month at a
rate that is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

HOURS_OF_A_MONTH = 730.0
GIB = 2.0**30

#: USD an hour, of AWS Fargate (Linux on x86, us-east-1), from its price list
#: as it was in June 2026.
PRICE_CPU = 0.04048
PRICE_MEMORY = 0.004445
SOURCE = "AWS Fargate, Linux on x86, us-east-1, June 2026"


@dataclass(frozen=True)
class Prices:
    cpu: float = PRICE_CPU  # a vCPU-hour
    memory: float = PRICE_MEMORY  # a GiB-hour
    rate: float = 100.0  # requests/s of the month
    source: str = SOURCE


@dataclass(frozen=True)
class Cost:
    million: float  # USD of a million requests
    month: float  # USD of a month at the rate
    joules: float | None  # of a million requests; None: not known


def prices(record: dict[str, Any]) -> Prices:
    given = record.get("prices", {})
    names = {field.name for field in fields(Prices)}
    return Prices(**{k: v for k, v in given.items() if k in names})


def of_row(
    row: dict[str, Any], cell: dict[str, Any], asked: Prices
) -> Cost | None:
    cpu_us, rate, rss = (
        row.get(name) for name in ("server_cpu_us", "goodput", "rss")
    )
    if not cpu_us or not rate or rss is None:
        return None
    memory = rss / GIB * asked.memory  # an hour
    cpu = cpu_us / 1e6 / 3600 * asked.cpu  # a request
    return Cost(
        1e6 * (cpu + memory / 3600 / rate),
        HOURS_OF_A_MONTH * (asked.rate * 3600 * cpu + memory),
        _joules(cell),
    )


def _joules(cell: dict[str, Any]) -> float | None:
    """The whole processor's, idle power and client with it."""
    # The command line knows the prices above without NumPy.
    from wsgibench.stats import samples

    used = answered = 0.0
    for start in samples.starts(cell, samples.measured(cell)):
        energy = start.get("energy_uj")
        if energy is None:
            return None
        used += energy / 1e6
        answered += start["load"]["classes"]["ok"]
    return 1e6 * used / answered if answered else None


def money(value: float) -> str:
    """USD, to the cent from ten cents on; never an exponent."""
    if value < 0.001:
        return "less than $0.001"
    return "$%.2f" % value if value >= 0.1 else "$%.3f" % value

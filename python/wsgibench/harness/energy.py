"""The processor's energy counters (RAPL), where the kernel lets them be read:
most virtual machines have none."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path("/sys/class/powercap")


def packages() -> list[Path]:
    """Of whole processors; their parts are counted in them."""
    return sorted(FOLDER.glob("intel-rapl:[0-9]"))


def read() -> dict[str, tuple[int, int]] | None:
    """name -> (microjoules, where the counter begins anew); None: nothing
    can be read."""
    found = {}
    for folder in packages():
        try:
            value = int((folder / "energy_uj").read_text())
            most = int((folder / "max_energy_range_uj").read_text())
        except (OSError, ValueError):
            return None
        found[folder.name] = (value, most)
    return found or None


def used(
    before: dict[str, tuple[int, int]] | None,
    after: dict[str, tuple[int, int]] | None,
) -> int | None:
    """Microjoules between two readings."""
    if before is None or after is None:
        return None
    total = 0
    for name, (value, most) in after.items():
        first = before.get(name, (value, most))[0]
        total += value - first if value >= first else value - first + most
    return total


def why_not() -> str:
    """A sentence if it cannot be read here; "" if it can."""
    if read() is not None:
        return ""
    if not packages():
        return "this machine shows no energy counters (RAPL)"
    return (
        "the energy counters (RAPL) can be read by root only, in %s" % FOLDER
    )

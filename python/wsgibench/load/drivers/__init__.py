"""Other load generators, so that a published benchmark can be run with the
tool it used.

One file a tool. It has

  PROGRAM                     the executable; or program(), which finds it
  CAN                         fields of LoadSpec that it can be asked for
  CHECKS                      what it says nothing about, for the reasons
  command(program, spec)      -> argv
  parse(text, spec)           -> Said

and its name is its file's. What it says becomes a record like our own, marked
with the tool's name; what it does not say is not invented.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from dataclasses import dataclass, field, fields
from types import ModuleType
from typing import Any

from wsgibench import plugins
from wsgibench.errors import UsageError, WsgibenchError
from wsgibench.load import kernel
from wsgibench.load.hdr import Histogram
from wsgibench.load.headers import header_set
from wsgibench.load.spec import SCHEMA, LoadSpec
from wsgibench.load.templates import SLOT
from wsgibench.verdicts import (
    GOODPUT,
    INVALID,
    LATENCY,
    NUMBERS,
    SUSPECT,
    doubt,
    summary,
)

#: Every tool is given these, or they do not matter to it.
ALWAYS = {
    *("url", "connections", "seed", "poisson", "window", "drain"),
    "percentiles",
}
#: Only our own generator compares answers; with a tool that is a reason.
CHECKED = {"expect_body", "expect_length", "expect_status", "learn"}

CLASSES = (
    "ok",
    "bad_status",
    "bad_body",
    "refused",
    "connect_timeout",
    "reset",
    "early_eof",
    "parse_error",
    "timeout",
    "unsent",
    "in_flight",
)


@dataclass
class Said:
    """What a tool said of its run."""

    seconds: float
    classes: dict[str, int]
    times: dict[str, float] = field(default_factory=dict)  # p99_ns: ...
    rate: float = 0.0  # its own figure
    version: str = ""
    reasons: list[str] = field(default_factory=list)


def find(name: str) -> ModuleType:
    return plugins.load("load/drivers", name, "tool")


def program_of(driver: ModuleType) -> str:
    if hasattr(driver, "program"):
        own: str = driver.program()
        return own
    path: str = shutil.which(driver.PROGRAM) or ""
    if not path:
        raise WsgibenchError(
            "%s is not installed: install it, or choose another tool."
            % driver.PROGRAM
        )
    return path


def check(driver: ModuleType, name: str, spec: LoadSpec) -> None:
    """UsageError for what this tool cannot be asked for."""
    sent = [spec.url, spec.body.decode("latin-1")]
    sent += [value for _, value in header_set(spec.headers)]
    sent += [value for _, value in spec.extra_headers]
    if any(SLOT.search(text.encode()) for text in sent):
        raise UsageError("%s fills in no templates." % name)
    able = ALWAYS | CHECKED | set(driver.CAN)
    default = LoadSpec(spec.url)
    for one in fields(spec):
        value = getattr(spec, one.name)
        if one.name not in able and value != getattr(default, one.name):
            raise UsageError("%s cannot do %s=%r." % (name, one.name, value))


def _run(command: list[str], limit: float) -> tuple[str, float]:
    """(its output, CPU seconds it used)"""
    before = os.times()
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=limit,
        )
    except subprocess.TimeoutExpired as error:
        raise WsgibenchError(
            "%s did not end in %.0f s." % (command[0], limit)
        ) from error
    after = os.times()
    text = done.stdout.decode(errors="replace")
    used = after.children_user - before.children_user
    used += after.children_system - before.children_system
    return text, used


def run(name: str, spec: LoadSpec, cpus: tuple[int, ...]) -> dict[str, Any]:
    driver = find(name)
    if hasattr(driver, "run"):
        own: dict[str, Any] = driver.run(spec, cpus)
        return own
    check(driver, name, spec)
    command: list[str] = driver.command(program_of(driver), spec)
    if cpus:
        command = ["taskset", "-c", ",".join(map(str, cpus)), *command]
    before = kernel.snapshot()
    start_ns = time.monotonic_ns()
    text, cpu = _run(command, min(spec.duration, 3600) + 120)
    counters = kernel.difference(before, kernel.snapshot())
    try:
        said: Said = driver.parse(text, spec)
    except (AttributeError, KeyError, IndexError, ValueError) as error:
        raise WsgibenchError(
            "%s said nothing that can be read: %s"
            % (name, " ".join(text.split())[-300:] or "no output at all")
        ) from error
    record = as_record(name, spec, said, driver.CHECKS)
    record["command"] = command
    record["start_ns"] = start_ns
    record["cpu_ns"] = round(cpu * 1e9)
    record["client_cpu_us_per_request"] = cpu * 1e6 / max(1, record["ok"])
    record["client_cpu_share"] = cpu / max(said.seconds, 1e-9)
    record["kernel"] = counters
    return record


def as_record(
    name: str, spec: LoadSpec, said: Said, unchecked: str
) -> dict[str, Any]:
    classes = {**dict.fromkeys(CLASSES, 0), **said.classes}
    total = sum(classes.values())
    ok = classes["ok"]
    failed = total - ok
    doubts = [
        doubt("tool", SUSPECT, (GOODPUT, LATENCY), reason, "")
        for reason in (*said.reasons, "%s %s" % (name, unchecked))
    ]
    if not ok or failed > total / 1000:
        words = "%d of %d requests failed" % (failed, total)
        remedy = "see what the server logged"
        doubts.append(doubt("failures", INVALID, NUMBERS, words, remedy))
    verdict, reasons = summary(doubts)
    times = {"count": ok, **said.times} if said.times else {}
    end_ns = round(said.seconds * 1e9)
    return {
        "schema": SCHEMA,
        "tool": name,
        "tool_version": said.version,
        "url": spec.url,
        "asked": {
            "connections": spec.connections,
            "duration_s": spec.duration,
            "rate": spec.rate,
            "keepalive": spec.keepalive,
        },
        "ok": ok,
        "scheduled": total,
        "classes": classes,
        "duration_s": said.seconds,
        "duration_ns": end_ns,
        "goodput": said.rate if not failed else ok / said.seconds,
        "tail": times,
        "response": times or {"count": 0},
        "service": times or {"count": 0},
        "windows": [
            {
                "start_ns": 0,
                "end_ns": end_ns,
                "ok": ok,
                "failed": failed,
                "service": Histogram().encode(),  # it tells of no single one
            }
        ],
        "drain": {},
        "connections": {"asked": spec.connections},
        "interrupted": False,
        "doubts": doubts,
        "verdict": verdict,
        "reasons": reasons,
    }

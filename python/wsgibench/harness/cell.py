"""One start of one cell: a new server process, loaded once."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from wsgibench import plugins
from wsgibench.errors import WsgibenchError
from wsgibench.harness import usage
from wsgibench.harness.environments import Environment
from wsgibench.harness.plan import Cell, Load
from wsgibench.harness.process import GuestProcess


def _load(
    url: str, load: Load, seed: int, cpu: int | None, scratch: Path, body: bytes
) -> dict[str, Any]:
    """The generator, in a process of its own on its own CPU."""
    expected = scratch / "expected-body"
    expected.write_bytes(body)
    result = scratch / "load.json"
    command = [sys.executable, "-m", "wsgibench", "load", url, "--quiet"]
    command += ["--connections", str(load.connections)]
    command += ["--duration", str(load.warmup + load.duration)]
    command += ["--headers", load.headers, "--seed", str(seed)]
    command += ["--expect-body-file", str(expected)]
    command += ["--rate", str(load.rate), "--json", str(result)]
    if not load.keepalive:
        command.append("--no-keepalive")
    if cpu is not None:
        command += ["--cpu", str(cpu)]
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=load.warmup + load.duration + 60,
    )
    if not result.exists():
        words = done.stderr.decode(errors="replace").strip().splitlines()
        raise WsgibenchError(
            "the load generator failed: %s" % (words or ["no message"])[-1]
        )
    parsed: dict[str, Any] = json.loads(result.read_text())
    return parsed


def run(
    cell: Cell,
    environment: Environment,
    *,
    start: int,
    seed: int,
    cpus: tuple[int | None, int | None],
    port: int = 0,
) -> dict[str, Any]:
    """What was observed; raises WsgibenchError when there is no result."""
    scenario = plugins.load("scenarios", cell.scenario, "scenario")
    with tempfile.TemporaryDirectory(prefix="wsgibench-") as directory:
        scratch = Path(directory)
        with GuestProcess(
            environment.python,
            cell.server,
            scenario,
            cpu=cpus[0],
            port=port,
            log=scratch / "guest.log",
        ) as guest:
            url = "http://%s:%d%s" % (*guest.address[:2], scenario.PATH)
            sampler = usage.Sampler(guest.pid)
            sampler.start()
            try:
                result = _load(
                    url, cell.load, seed, cpus[1], scratch, scenario.BODY
                )
            finally:
                samples = sampler.stop()
            died = not guest.alive()
            words = guest.last_words() if died else ""
            observed = {
                "start": start,
                "seed": seed,
                "cpus": {"server": cpus[0], "client": cpus[1]},
                "guest": guest.ready,
                "start_seconds": guest.start_seconds,
                "load": result,
                "usage": [asdict(sample) for sample in samples],
            }
    if died:
        observed["load"]["verdict"] = "INVALID"
        observed["load"]["reasons"].insert(0, "the server died: " + words)
    return observed

"""A generator in a process of its own, which is told what to do.

Standard input: the task as a line of JSON ``{"spec": ..., "users": N or
null}``, then lines ``users N`` and ``stop``; its end is a ``stop``, too.
Standard output, a JSON a line: ``{"so_far": RAW, "watch": WATCH}`` each
second, at last ``{"result": RAW, "watch": WATCH}``, or ``{"error":
SENTENCE}``. RAW is the generator's own result, always of the whole run: of
several the last one counts. WATCH is what this process saw of its machine.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

from wsgibench.errors import WsgibenchError
from wsgibench.load import kernel, limits, wire
from wsgibench.load.generator import make
from wsgibench.load.render import render

TURN_SECONDS = 0.02
EACH_SECONDS = 1.0
COMMAND = "from wsgibench.load.engine import main; main()"


class Orders:
    """Lines of standard input, without waiting; ends with ``stop``."""

    def __init__(self) -> None:
        self._rest = b""
        self._over = False

    def first(self) -> str:
        while b"\n" not in self._rest:
            data = os.read(0, 1 << 20)
            if not data:
                raise SystemExit(2)
            self._rest += data
        line, self._rest = self._rest.split(b"\n", 1)
        os.set_blocking(0, False)
        return line.decode("utf-8")

    def read(self) -> list[str]:
        if self._over:
            return []
        try:
            data = os.read(0, 1 << 16)
            self._over = not data
        except BlockingIOError:
            data = b""
        *lines, self._rest = (self._rest + data).split(b"\n")
        orders = [line.decode("ascii") for line in lines]
        return [*orders, "stop"] if self._over else orders


class Watch:
    """What this machine made of us: CPU that others had, and clocks."""

    def __init__(self, routes: list[str]) -> None:
        self._routes = routes
        self._before = kernel.snapshot()
        self._waited = kernel.waited_ns()

    def __call__(self) -> dict[str, Any]:
        return {
            "routes": self._routes,  # their names, by number
            **kernel.difference(self._before, kernel.snapshot()),
            "wait_ns": kernel.waited_ns() - self._waited,
            "wall_ns": time.time_ns(),
            "monotonic_ns": time.monotonic_ns(),
        }


def say(kind: str, raw: str, watch: Watch) -> None:
    sys.stdout.write(
        '{"%s": %s, "watch": %s}\n' % (kind, raw, json.dumps(watch()))
    )
    sys.stdout.flush()


def work(generator: Any, orders: Orders, watch: Watch, start_ns: int) -> None:
    """Snapshots are the windows: full seconds from the start of the run."""
    tell_at = max(start_ns / 1e9, time.monotonic()) + EACH_SECONDS
    while generator.poll(TURN_SECONDS):
        for order in orders.read():
            if order == "stop":
                generator.stop()
            else:
                generator.set_users(int(order.split()[1]))
        if time.monotonic() >= tell_at:
            tell_at += EACH_SECONDS
            try:
                say("so_far", generator.result(), watch)
            except BlockingIOError:
                pass  # it has not begun
    say("result", generator.result(), watch)


def main() -> None:
    orders = Orders()
    task = json.loads(orders.first())
    try:
        limits.raise_descriptors()
        spec = wire.from_json(task["spec"])
        rendered = render(spec)
        generator = make(spec, rendered)
        if task["users"] is not None:
            generator.set_users(task["users"])
        watch = Watch(rendered.routes)
        work(generator, orders, watch, spec.start_ns)
    except WsgibenchError as error:
        print(json.dumps({"error": str(error)}), flush=True)

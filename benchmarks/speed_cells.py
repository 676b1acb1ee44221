"""Servers and clients of speed.py: a server is started, loaded by one client
after another, and what it used is read from /proc around each load.

Two clients send the same bytes: our generator, and wrk with templates.lua.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import setup_native

from wsgibench.errors import WsgibenchError
from wsgibench.harness import environments, interpreters, scenario, servers
from wsgibench.harness import usage as usages
from wsgibench.harness.application import Application
from wsgibench.harness.machine import split_cpus
from wsgibench.harness.process import TargetProcess, Under, open_socket
from wsgibench.load.drivers import wrk
from wsgibench.load.headers import PROXIED
from wsgibench.load.spec import LoadSpec
from wsgibench.target import pages

HERE = Path(__file__).resolve().parent
CONNECTIONS = 64
WARMUP = 0.5  # seconds of each load, once more for another kind of request
JIT_WARMUP = 4.0  # of a new process on PyPy

#: One value for each template: what "same" sends in every request.
FIXED = {"{random:32}": "0123456789abcdef" * 2, "{address}": "10.20.30.40"}


@dataclass(frozen=True)
class Contestant:
    """A process under test."""

    server: str  # as `run` has it, or "canned": canned.c
    python: str = "cpython"  # a key of the interpreters that were found
    app: str = "hello"  # of speed_apps.py
    spread: bool = False  # may use all CPUs

    @property
    def name(self) -> str:
        app = "" if self.app == "hello" else " " + self.app
        return "%s on %s%s" % (self.server, self.python, app)


@dataclass(frozen=True)
class Traffic:
    kind: str  # unique, same, close, pipe
    client: str = "ours"  # or wrk


def header_lines(kind: str) -> list[str]:
    lines = ["%s: %s" % field for field in PROXIED]
    if kind == "unique":
        return lines
    return [re.sub(r"{.*?}", lambda m: FIXED[m[0]], line) for line in lines]


# ---- servers --------------------------------------------------------------


def scenario_of(app: str) -> scenario.Scenario:
    found = scenario.find("hello")
    if app == "hello":
        return found
    asked = Application("speed_apps:" + app, str(HERE))
    return scenario.Scenario(
        name=app,
        about=app,
        app=asked.target,
        body=found.body,
        application=asked,
    )


class Field:
    """The interpreters, their environments, and canned.c as a program."""

    def __init__(
        self, pythons: dict[str, interpreters.Interpreter], folder: Path
    ) -> None:
        self.pythons = pythons
        self._folder = folder
        self._made: dict[tuple[str, str], environments.Environment] = {}
        self._canned = ""

    def why_not(self, contestant: Contestant) -> str:
        """Makes what the contestant needs; a sentence if that fails."""
        try:
            if contestant.server == "canned":
                self._compile()
                return ""
            python = self.pythons.get(contestant.python)
            if python is None:
                return "no interpreter for %s" % contestant.python
            name = servers.find(contestant.server).name
            reason = servers.why_not(name, python)
            if not reason:
                key = (contestant.python, name)
                self._made[key] = environments.get(python, name, tell)
            return reason
        except WsgibenchError as error:
            return str(error)

    def _compile(self) -> None:
        if self._canned:
            return
        with contextlib.redirect_stdout(sys.stderr):
            flags = setup_native.flags()
        program = str(self._folder / "canned")
        command = [*setup_native.compiler(), str(HERE / "canned.c")]
        # libuv's own header wants more than -std=c11.
        command += [*flags.compile, "-std=gnu11"]
        command += ["-o", program, *flags.link]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            words = done.stderr.strip().splitlines()
            raise WsgibenchError("canned.c: %s" % (words or ["?"])[-1])
        self._canned = program

    @contextlib.contextmanager
    def start(self, contestant: Contestant) -> Iterator[tuple[int, int]]:
        """(pid, port) while it runs."""
        cpu = None if contestant.spread else split_cpus()[0]
        if contestant.server == "canned":
            with self._start_canned(cpu) as started:
                yield started
            return
        server = servers.find(contestant.server)
        off = {"PYTHON_GIL": "0"} if contestant.python == "free" else {}
        with (
            tempfile.TemporaryDirectory() as folder,
            TargetProcess(
                self._made[contestant.python, server.name],
                server,
                scenario_of(contestant.app),
                cpu=cpu,
                log=Path(folder) / "log",
                under=Under(variables=off),
            ) as process,
        ):
            yield process.pid, process.address[1]

    @contextlib.contextmanager
    def _start_canned(self, cpu: int | None) -> Iterator[tuple[int, int]]:
        answer = self._folder / "answer"
        date = ("Date", "Sun, 06 Nov 1994 08:49:37 GMT")
        fields = [("Server", "canned"), date]
        answer.write_bytes(pages.message(_page, fields))
        with open_socket("127.0.0.1", 0, 2048) as listener:
            command = [self._canned, str(listener.fileno()), str(answer)]
            if cpu is not None:
                command = ["taskset", "-c", str(cpu), *command]
            process = subprocess.Popen(command, pass_fds=[listener.fileno()])
            try:
                yield process.pid, listener.getsockname()[1]
            finally:
                process.kill()
                process.wait()


def _page(environ: Any, start_response: Any) -> list[bytes]:
    body = scenario.find("hello").body
    length = ("Content-Length", str(len(body)))
    start_response("200 OK", [("Content-Type", "text/html"), length])
    return [body]


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# ---- clients --------------------------------------------------------------


def _ours(url: str, kind: str, seconds: float, seed: int) -> tuple[int, float]:
    """(right answers, seconds)"""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "headers").write_text("\n".join(header_lines(kind)))
        (folder / "body").write_bytes(scenario.find("hello").body)
        command = [sys.executable, "-m", "wsgibench", "load", url, "--quiet"]
        command += ["-c", str(CONNECTIONS), "-d", str(seconds)]
        command += ["--headers", "@%s" % (folder / "headers")]
        command += ["--seed", str(seed), "--timeout", "10"]
        command += ["--expect-body-file", str(folder / "body")]
        command += ["--json", str(folder / "result.json")]
        if kind == "close":
            command.append("--no-keepalive")
        if kind == "pipe":
            command += ["--pipeline", "16"]
        cpu = split_cpus()[1]
        if cpu is not None:
            command += ["--cpu", str(cpu)]
        path = os.pathsep.join(sys.path)
        done = subprocess.run(
            command,
            env=dict(os.environ, PYTHONPATH=path),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            said = json.loads((folder / "result.json").read_text())
        except OSError:
            words = done.stderr.strip().splitlines() or ["no message"]
            raise WsgibenchError("the generator: %s" % words[-1]) from None
    classes = said["classes"]
    bad = said["scheduled"] - classes["ok"] - classes["in_flight"]
    if bad:
        raise WsgibenchError("%d answers were wrong or missing" % bad)
    return classes["ok"], said["duration_ns"] / 1e9


def _wrk(url: str, kind: str, seconds: float, seed: int) -> tuple[int, float]:
    lines = header_lines(kind)
    command = ["wrk", "-t1", "-c%d" % CONNECTIONS, "--timeout", "10s"]
    command += ["-d%ds" % max(1, round(seconds))]
    if kind == "close":
        lines.append("Connection: close")
    if kind == "unique":
        command += ["-s", str(HERE / "templates.lua"), url, "--", *lines]
    else:
        for line in lines:
            command += ["-H", line]
        command.append(url)
    cpu = split_cpus()[1]
    if cpu is not None:
        command = ["taskset", "-c", str(cpu), *command]
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds + 60,
    )
    if "requests in" not in done.stdout:
        raise WsgibenchError("wrk: %s" % " ".join(done.stdout.split())[-200:])
    said = wrk.parse(done.stdout, LoadSpec(url))
    bad = sum(said.classes.values()) - said.classes["ok"]
    if bad:
        raise WsgibenchError("wrk: %d requests failed" % bad)
    return said.classes["ok"], said.seconds


CLIENTS = {"ours": _ours, "wrk": _wrk}


def load(
    pid: int, port: int, traffic: Traffic, seconds: float, seed: int
) -> dict[str, float]:
    """CPU of the server's processes (us per request) and its rate (1/s)."""
    url = "http://127.0.0.1:%d/" % port
    before = usages.read(pid).cpu_ns
    answered, span = CLIENTS[traffic.client](url, traffic.kind, seconds, seed)
    used = usages.read(pid).cpu_ns - before
    if not answered:
        raise WsgibenchError("nothing was answered")
    return {"cpu": used / 1e3 / answered, "rate": answered / span}


def warm_up(port: int, kind: str, seconds: float) -> None:
    _ours("http://127.0.0.1:%d/" % port, kind, seconds, 0)

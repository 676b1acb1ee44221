"""The application without a server, by target/servers/_alone.py: its answers,
which are the reference for all, and what a call of it costs."""

from __future__ import annotations

import base64
import dataclasses
import http.client
import json
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wsgibench.errors import WsgibenchError
from wsgibench.harness import servers, stable, visit
from wsgibench.harness.answers import Address, Answer
from wsgibench.harness.environments import Environment
from wsgibench.harness.process import TargetProcess
from wsgibench.harness.requests.request import Request
from wsgibench.harness.scenario import Scenario
from wsgibench.harness.stable import Stable
from wsgibench.harness.steady import Settled, worked

#: No server that can be asked for.
SERVER = "_alone"
CONTROL = "/.wsgibench-alone"
TIMEOUT = 300.0
#: Between two answers, so that what tells the time in seconds changes.
PAUSE = 1.1
#: Processes of the application that are asked for the reference.
PROCESSES = 2
#: Seconds of calls between two looks at whether they have settled.
SETTLING_STEP = 1.0
#: Calls in one order, over and over; weights are kept within it.
MOST_TURNS = 10_000


def turns(requests: Sequence[Request], seed: int) -> list[int]:
    """Which request when, by their weights."""
    total = sum(request.weight for request in requests)
    rng = random.Random(seed)
    if total <= MOST_TURNS:
        order = [
            index
            for index, request in enumerate(requests)
            for _ in range(request.weight)
        ]
        rng.shuffle(order)
        return order
    weights = [request.weight for request in requests]
    return rng.choices(range(len(requests)), weights, k=MOST_TURNS)


class Alone:
    """A context manager: one process of the application, without a server,
    its visitors logged in."""

    def __init__(
        self,
        scenario: Scenario,
        environment: Environment,
        *,
        log: Path,
        cpu: int | None,
    ) -> None:
        assert scenario.application is not None
        self._application = scenario.application
        self._environment = environment
        server = servers.Server("the application alone", SERVER, {})
        self._target = TargetProcess(
            environment,
            server,
            scenario,
            log=log,
            cpu=cpu,
            options={"control": CONTROL},
        )
        self._host = scenario.application.host
        self.visitors: list[visit.Visitor] = []

    @property
    def address(self) -> Address:
        return self._target.address[0], self._target.address[1]

    def __enter__(self) -> Alone:
        self._target.__enter__()
        try:
            self.visitors = visit.sessions(
                self._application,
                self.address,
                self._environment.python,
                self._target.task,
            )
        except BaseException:
            self._target.stop()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self._target.__exit__(*exception)

    def _obey(self, order: dict[str, Any]) -> dict[str, Any]:
        connection = http.client.HTTPConnection(*self.address, timeout=TIMEOUT)
        try:
            connection.request("POST", CONTROL, json.dumps(order).encode())
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise WsgibenchError(
                "the application alone gave up: %s: %s; its last words: %s"
                % (type(error).__name__, error, self._target.last_words())
            ) from error
        finally:
            connection.close()
        if response.status != 200:
            raise WsgibenchError(
                "the application alone gave up: %s" % self._target.last_words()
            )
        found: dict[str, Any] = json.loads(body)
        return found

    def _plain(self, requests: Sequence[Request]) -> list[dict[str, Any]]:
        return [
            {
                "method": one.method,
                "target": one.target,
                "headers": _with_host(one, self._host),
                "body": base64.b64encode(one.body).decode("ascii"),
            }
            for one in requests
        ]

    def answers(
        self, requests: Sequence[Request], visitor: int, second: bool
    ) -> list[Answer]:
        """`second`: with other values of what a server may choose."""
        asked = visit.as_visitor(requests, self.visitors, visitor)
        order = {"requests": self._plain(asked), "second": second}
        said = self._obey({**order, "seconds": 0})
        return [_answer(*one) for one in said["answers"]]

    def settle(
        self,
        requests: Sequence[Request],
        settled: Settled,
        most: float,
        *,
        is_jit: bool,
    ) -> None:
        """Calls it until the cost of a call is steady, `most` seconds at
        most."""
        costs: list[float] = []
        calls, used = 0, 0
        end = time.monotonic() + most
        while (left := end - time.monotonic()) > 0:
            seconds = min(SETTLING_STEP, left)
            found = self.timing(
                requests, seed=len(costs), seconds=seconds, warmup=0.0
            )
            calls += found["calls"]
            used += found["cpu_ns"]
            parts = (part for part in found["parts"] if part[0])
            costs += [part[1] / part[0] / 1e3 for part in parts]
            if settled(costs) and worked(is_jit, calls, used):
                return

    def timing(
        self,
        requests: Sequence[Request],
        *,
        seed: int,
        seconds: float,
        warmup: float,
    ) -> dict[str, Any]:
        asked = visit.as_visitor(requests, self.visitors, 0)
        order = {"requests": self._plain(asked), "order": turns(asked, seed)}
        return self._obey({**order, "seconds": seconds, "warmup": warmup})


def _with_host(request: Request, host: str) -> list[tuple[str, str]]:
    headers = list(request.headers)
    return headers if request.header("host") else [("Host", host), *headers]


def _answer(
    status: str, headers: list[list[str]], body: str, error: str
) -> Answer:
    return Answer(
        int(status.split(" ")[0] or 0),
        # Blanks around a value are none of it (RFC 9110, section 5.5);
        # Django's Set-Cookie begins with one.
        tuple((name, value.strip(" \t")) for name, value in headers),
        base64.b64decode(body),
        error,
    )


def reference(
    scenario: Scenario,
    environment: Environment,
    folder: Path,
    cpu: int | None,
    reset: Any,
) -> tuple[list[Stable], list[str]]:
    """(what every answer must have, sentences about requests that fail by
    themselves). Asked twice of each of two processes, by two visitors; if
    they log in, by each of them twice."""
    gathered: list[list[Answer]] = [[] for _ in scenario.requests]
    logs_in = bool(scenario.application and scenario.application.sessions)
    rounds = (0, 1, 0, 1) if logs_in else (0, 1)
    for number in range(PROCESSES):
        reset()
        log = folder / ("alone-%d.log" % number)
        with Alone(scenario, environment, log=log, cpu=cpu) as alone:
            for place, visitor in enumerate(rounds):
                if visitor:
                    time.sleep(PAUSE)
                # Each visitor meets both of what a server may choose.
                second = (number + place) % 2 == 1
                given = alone.answers(scenario.requests, visitor, second)
                for found, one in zip(gathered, given):
                    found.append(one)
    raised = [one.error for found in gathered for one in found]
    if all(raised):
        raise WsgibenchError(_why_always(scenario, raised[0]))
    remarks = []
    for request, found in zip(scenario.requests, gathered):
        errors = [one.error for one in found if one.error]
        if errors:
            remarks.append(
                "%s: the application itself raises %s"
                % (request.name, errors[0])
            )
        elif found[0].status >= 400:
            remarks.append(
                "%s: the application itself answers %d"
                % (request.name, found[0].status)
            )
    return [_stable(found, logs_in) for found in gathered], remarks


def _why_always(scenario: Scenario, error: str) -> str:
    target = scenario.application.target if scenario.application else ""
    factory = (
        ""
        if target.endswith(")")
        else ("; if it makes the application, write %s()" % target)
    )
    return "the application raises at every request: %s%s." % (error, factory)


def _stable(answers: list[Answer], logs_in: bool) -> Stable:
    """Answers come in rounds of two visitors."""
    found = stable.of(answers)
    if not logs_in:
        return found
    own = tuple(stable.of(answers[number::2]) for number in (0, 1))
    return dataclasses.replace(found, visitors=own)

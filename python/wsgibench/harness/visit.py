"""What comes between the start of an application's server and the load:
visitors log in, and every answer is held against the application's own."""

from __future__ import annotations

import json
import random
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wsgibench import plugins
from wsgibench.errors import WsgibenchError
from wsgibench.harness import answers
from wsgibench.harness.answers import Address
from wsgibench.harness.application import Application, clean_environ
from wsgibench.harness.environments import Environment
from wsgibench.harness.plan import Load
from wsgibench.harness.process import TargetProcess
from wsgibench.harness.requests.request import Request, checked
from wsgibench.harness.scenario import Scenario
from wsgibench.harness.stable import Stable
from wsgibench.verdicts import INVALID, NUMBERS, Doubt, doubt

if TYPE_CHECKING:
    from wsgibench.load.spec import LoadSpec

SCRIPT = plugins.PACKAGE / "target" / "sessions.py"
SESSIONS_TIMEOUT = 120.0
#: Seconds that a request may take under load.
TIMEOUT = 30.0
#: Requests asked of a server before its load: of its first start, of others.
MOST_CHECKED = (1000, 50)

#: Who ask at once, how often each, and for how many seconds at most.
AT_ONCE, AT_ONCE_EACH, AT_ONCE_SECONDS = 8, 25, 2.0

Visitor = Mapping[str, str]
ANONYMOUS: Visitor = {}


def sessions(
    application: Application,
    address: Address,
    python: str,
    task: dict[str, Any],
) -> list[Visitor]:
    """What the user's function returns for each visitor."""
    if not application.sessions:
        return [ANONYMOUS]
    url = "http://%s:%d" % address[:2]
    with tempfile.TemporaryDirectory(prefix="wsgibench-") as folder:
        out = Path(folder) / "sessions.json"
        command = [python, str(SCRIPT), json.dumps(task)]
        command += [application.sessions, url, str(application.visitors)]
        try:
            done = subprocess.run(
                [*command, str(out)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**clean_environ(), **dict(application.environ)},
                timeout=SESSIONS_TIMEOUT,
            )
        except subprocess.TimeoutExpired as error:
            raise WsgibenchError(
                "%s did not return within %d s."
                % (application.sessions, SESSIONS_TIMEOUT)
            ) from error
        if done.returncode != 0 or not out.exists():
            words = done.stdout.decode(errors="replace").strip().splitlines()
            raise WsgibenchError(
                "%s failed: %s"
                % (application.sessions, (words or ["it said nothing"])[-1])
            )
        found: list[list[tuple[str, str]]] = json.loads(out.read_text())
    if not found:
        raise WsgibenchError("%s returned no visitor." % application.sessions)
    for pairs in found:
        # What stands for a name in braces goes into a target or a header.
        headers = tuple((k if "{" not in k else "X", v) for k, v in pairs)
        checked(Request("GET", "/", headers), application.sessions)
    return [dict(pairs) for pairs in found]


def as_visitor(
    requests: Sequence[Request], visitors: Sequence[Visitor], number: int
) -> list[Request]:
    visitor = visitors[number % len(visitors)]
    return [
        checked(request.of(visitor), "%s, of a visitor" % request.name)
        for request in requests
    ]


def chosen(requests: Sequence[Request], most: int) -> list[int]:
    """Which requests are asked before the load: all, or else the most
    frequent one of each route and then the most frequent ones."""
    if len(requests) <= most:
        return list(range(len(requests)))
    ranked = sorted(
        range(len(requests)), key=lambda index: -requests[index].weight
    )
    firsts: dict[str, int] = {}
    for index in ranked:
        firsts.setdefault(requests[index].route, index)
    found = [*firsts.values(), *ranked]
    return sorted(list(dict.fromkeys(found))[:most])


def check(
    address: Address,
    requests: Sequence[Request],
    visitors: Sequence[Visitor],
    expected: Sequence[Stable],
    *,
    host: str,
    is_first: bool,
) -> dict[str, Any]:
    """Every request asked twice of the server, in their order; what it gave
    otherwise than the application, once for each."""
    which = chosen(requests, MOST_CHECKED[0 if is_first else 1])
    found: dict[tuple[str, str], None] = {}
    for number in (0, 1):
        asked = as_visitor(requests, visitors, number)
        for index in which:
            request = asked[index]
            given = answers.ask(address, request, host)
            is_head = request.method == "HEAD"
            must = expected[index].of_visitor(number)
            for what in must.differences(given, is_head):
                found[requests[index].name, what] = None
    if is_first and not found:
        found = _at_once(address, requests, visitors, expected, which, host)
    return {
        "checked": len(which),
        "of": len(requests),
        "differences": [
            {"request": name, "what": what} for name, what in found
        ],
    }


def _at_once(
    address: Address,
    requests: Sequence[Request],
    visitors: Sequence[Visitor],
    expected: Sequence[Stable],
    which: Sequence[int],
    host: str,
) -> dict[tuple[str, str], None]:
    """What is wrong when several ask at once, one not getting another's
    answer among it; requests that change nothing, for a short time."""
    safe = [index for index in which if requests[index].is_safe]
    by_visitor = [as_visitor(requests, visitors, n) for n in (0, 1)]
    end = time.monotonic() + AT_ONCE_SECONDS
    found: dict[tuple[str, str], None] = {}

    def ask(number: int) -> None:
        order = random.Random(number).choices(safe, k=AT_ONCE_EACH)
        for index in order:
            if time.monotonic() > end:
                return
            asked = by_visitor[number % 2][index]
            given = answers.ask(address, asked, host)
            must = expected[index].of_visitor(number % 2)
            for what in must.differences(given, asked.method == "HEAD"):
                text = what + ", when %d ask at once" % AT_ONCE
                found[requests[index].name, text] = None

    if safe:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(ask, range(AT_ONCE)))
    return found


def wrong_answers(checked: dict[str, Any]) -> list[Doubt]:
    """Why nothing of such a start is ranked."""
    found = checked["differences"]
    if not found:
        return []
    more = " and %d more" % (len(found) - 1) if len(found) > 1 else ""
    what = "wrong answers: %(request)s: %(what)s" % found[0] + more
    return [doubt("wrong-answers", INVALID, NUMBERS, what, "")]


class Visit:
    """Of one start of a server."""

    def __init__(
        self,
        scenario: Scenario,
        environment: Environment,
        expected: Sequence[Stable],
    ) -> None:
        assert scenario.application is not None
        self._scenario = scenario
        self._application = scenario.application
        self._environment = environment
        self._expected = expected
        self._visitors: list[Visitor] = [ANONYMOUS]

    def begin(self, target: TargetProcess, start: int) -> dict[str, Any]:
        """Visitors log in, every request is asked; what came of it."""
        address = (target.address[0], target.address[1])
        self._visitors = sessions(
            self._application, address, self._environment.python, target.task
        )
        return check(
            address,
            self._scenario.requests,
            self._visitors,
            self._expected,
            host=self._application.host,
            is_first=start == 0,
        )

    def spec(
        self, target: TargetProcess, load: Load, folder: Path, *, seed: int
    ) -> LoadSpec:
        """What it is asked, as a load."""
        from wsgibench.harness import mix

        return mix.spec(
            "http://%s:%d/" % target.address[:2],
            load,
            self._scenario,
            self._visitors,
            self._expected,
            folder,
            seed=seed,
            timeout=TIMEOUT,
        )

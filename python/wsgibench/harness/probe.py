"""Asking a server once: is the answer right, and how does it behave?"""

from __future__ import annotations

import http.client
from typing import Any

from wsgibench.harness import sockets
from wsgibench.harness.scenario import Scenario

Address = tuple[str, int]


def _host(scenario: Scenario) -> dict[str, str]:
    """Applications may answer to a name of theirs only."""
    application = scenario.application
    return {"Host": application.host} if application else {}


def problem(address: Address, scenario: Scenario, timeout: float) -> str:
    """What is wrong with the answer; "" if nothing is."""
    connection = http.client.HTTPConnection(*address, timeout=timeout)
    try:
        connection.request("GET", scenario.path, headers=_host(scenario))
        response = connection.getresponse()
        body = response.read()
    except http.client.IncompleteRead as error:
        # Of an application of the user's this is told with all that is wrong.
        return "" if scenario.application else str(error)
    except (OSError, http.client.HTTPException) as error:
        return "%s: %s" % (type(error).__name__, error)
    finally:
        connection.close()
    if scenario.status and response.status != scenario.status:
        return "status %d" % response.status
    if body != scenario.body and not scenario.any_body:
        return "body %r" % body[:60]
    return ""


def observe(
    address: Address, scenario: Scenario, timeout: float
) -> dict[str, Any]:
    """Settings read back from outside, whatever the server says of itself:
    whether it keeps a connection, its Server field, its backlog."""
    seen: dict[str, Any] = {}
    connection = http.client.HTTPConnection(*address, timeout=timeout)
    try:
        connection.request("GET", scenario.path, headers=_host(scenario))
        response = connection.getresponse()
        response.read()
        seen["keep_alive"] = connection.sock is not None
        seen["server_field"] = response.headers.get("Server", "")
        seen["http_version"] = response.version
    except (OSError, http.client.HTTPException):
        pass
    finally:
        connection.close()
    backlog = _backlog(address[1])
    if backlog is not None:
        seen["backlog"] = backlog
    return seen


def _backlog(port: int) -> int | None:
    """The length of the accept queue, from the kernel."""
    found = sockets.listeners(port)
    return found[0].backlog if found else None

"""Stock Locust beside us: its workers, and its web page."""

from __future__ import annotations

import collections
import json
import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.machines.conftest import Room, wait_for

LOCUSTFILE = """
from locust import HttpUser, constant, task

class Any(HttpUser):
    wait_time = constant(0.05)

    @task
    def page(self):
        self.client.get("/plain")
"""

ASKS = """
import sys, urllib.request
data = sys.argv[2].encode() if len(sys.argv) > 2 else None
print(urllib.request.urlopen(sys.argv[1], data, 10).read().decode())
"""


def is_accounted(
    served: Mapping[str, int], counts: Mapping[str, int], users: int
) -> bool:
    cut = served["/plain"] - counts.get("/plain", 0)
    return counts.get("/ours") == served["/ours"] and 0 <= cut <= users


def test_a_stock_worker_and_ours(room: Room, tmp_path: Path) -> None:
    """Users are spread over both, and the page's stop and start with another
    number reach both."""
    file = tmp_path / "locustfile.py"
    file.write_text(LOCUSTFILE)
    room.served()
    words = ["-m", "locust", "-f", str(file)]
    master = room.master.python(
        *(*words, "--master", "-H", room.url, "--web-port", "8089"),
        cwd=tmp_path,
    )
    room.machines[2].python(
        *(*words, "--worker", "--master-host", room.master.address),
        cwd=tmp_path,
    )
    room.machines[3].wsgibench(
        *("worker", "/ours", "--think", "0.05"),
        *("--master", room.master.address),
    )

    def page(path: str, **form: Any) -> dict[str, Any]:
        asking = room.master.python(
            *("-c", ASKS, "http://127.0.0.1:8089" + path),
            *([urllib.parse.urlencode(form)] if form else []),
        )
        said = asking.communicate(timeout=100)[0]
        if asking.returncode:
            return {}
        found: dict[str, Any] = json.loads(said)
        return found

    def users(count: int, state: str) -> bool:
        found = page("/stats/requests")
        return (found.get("state"), found.get("user_count")) == (state, count)

    def counts() -> dict[str, int]:
        return {
            row["name"]: row["num_requests"]
            for row in page("/stats/requests").get("stats", ())
            if row["name"] != "Aggregated"
        }

    wait_for(lambda: len(page("/stats/requests").get("workers", ())) == 2, "2")
    for count in (4, 10):
        assert page("/swarm", user_count=count, spawn_rate=20)["success"]
        wait_for(lambda: users(count, "running"), "not running")  # noqa: B023
        wait_for(lambda: room.has_answered("/ours", "/plain"), "no load")
        assert page("/stop", now=1)["success"]
        wait_for(lambda: users(0, "stopped"), "not stopped")
        served = collections.Counter(room.served())
        assert set(served) == {"/ours", "/plain"}
        # What the last reports of the workers bring. Locust ends its own users
        # in the middle of a request.
        wait_for(
            lambda: is_accounted(served, counts(), count),  # noqa: B023
            "%r" % served,
        )
    master.terminate()
    master.wait(20)

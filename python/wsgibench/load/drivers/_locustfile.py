"""What Locust runs: one path, again and again. Imported by Locust, in an
environment that has nothing of ours."""

from __future__ import annotations

import json
import os

from locust import (  # type: ignore[import-not-found]
    FastHttpUser,
    constant,
    task,
)

ASKED = json.loads(os.environ["WSGIBENCH_LOCUST"])


class User(FastHttpUser):  # type: ignore[misc]
    wait_time = constant(0)
    network_timeout = connection_timeout = ASKED["timeout"]

    @task  # type: ignore[untyped-decorator]
    def ask(self) -> None:
        self.client.get(ASKED["path"], name="/", headers=ASKED["headers"])

"""The golden server in a process of its own, and the generator here."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from wsgibench import native
from wsgibench.load import run as load_run
from wsgibench.load.spec import LoadSpec

GOLDEN = Path(__file__).with_name("golden.py")


class Golden:
    def __init__(self, **plan: Any) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(GOLDEN), json.dumps(plan)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        self.port = int(self.process.stdout.readline())
        self.url = "http://127.0.0.1:%d/" % self.port
        self.body = plan.get("body", "a right answer").encode()

    def account(self) -> dict[str, Any]:
        """Ends it; what it did."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        text = self.process.stdout.read()
        self.process.wait()
        parsed: dict[str, Any] = json.loads(text)
        return parsed

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream
            stream.close()


@pytest.fixture
def golden() -> Iterator[Callable[..., Golden]]:
    with contextlib.ExitStack() as stack:

        def start(**plan: Any) -> Golden:
            server = Golden(**plan)
            stack.callback(server.kill)
            return server

        yield start


@pytest.fixture
def load(
    binding: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., dict[str, Any]]]:
    """load(url, **spec): a run by this binding. Whatever happened to its
    requests, the classes sum to what was scheduled."""
    monkeypatch.setenv("WSGIBENCH_BACKEND", binding)
    native.binding.cache_clear()

    def run(url: str, **fields: Any) -> dict[str, Any]:
        result = load_run.run(LoadSpec(url, **fields))
        check_sums(result)
        return result

    yield run
    native.binding.cache_clear()


def check_sums(result: dict[str, Any]) -> None:
    classes = result["classes"]
    assert sum(classes.values()) == result["scheduled"], classes
    parts = [*result["windows"], result["drain"]]
    for name in classes:
        assert classes[name] == sum(part["classes"][name] for part in parts)
    assert result["scheduled"] == sum(part["scheduled"] for part in parts)
    assert result["service"]["count"] == classes["ok"]
    assert result["response"]["count"] == classes["ok"]
    # Whoever got no right answer is in the tail as a lower bound.
    wrong = result["scheduled"] - classes["ok"]
    assert result["tail"]["censored"] == wrong

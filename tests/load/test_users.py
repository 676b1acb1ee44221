"""Connections that begin and end to work in mid-run; a load as JSON."""

from __future__ import annotations

import dataclasses
import json
import time
from typing import Any, Callable

import pytest

from wsgibench import native
from wsgibench.errors import UsageError
from wsgibench.load import wire
from wsgibench.load.generator import make
from wsgibench.load.render import render
from wsgibench.load.spec import Entry, LoadSpec

Golden = Callable[..., Any]


@pytest.mark.parametrize("keepalive", [True, False])
def test_users_come_and_go(
    binding: str,
    monkeypatch: pytest.MonkeyPatch,
    golden: Golden,
    keepalive: bool,
) -> None:
    monkeypatch.setenv("WSGIBENCH_BACKEND", binding)
    native.binding.cache_clear()
    server = golden(close=not keepalive)
    spec = LoadSpec(
        server.url, connections=20, duration=60, keepalive=keepalive
    )
    generator = make(spec, render(spec))
    generator.set_users(0)
    asked = []
    for users in (0, 3, 12, 1, 0, 5):
        generator.set_users(users)
        until = time.monotonic() + 30
        generator.poll(0.05)
        # Those that have something to do do it, the others end.
        while time.monotonic() < until:
            generator.poll(0.01)
            if generator.live()["connected"] <= users:
                break
        so_far = json.loads(generator.result())
        asked.append(so_far["scheduled"])
        under_way = so_far["scheduled"] - sum(so_far["classes"].values())
        assert 0 <= under_way <= users
        windows = so_far["windows"]
        assert so_far["classes"]["ok"] == sum(w["ok"] for w in windows)
    assert asked[0] == 0
    assert asked == sorted(asked)
    assert asked[-1] > asked[-2] > asked[1] > 0
    generator.stop()
    while generator.poll(0.1):
        pass
    result = json.loads(generator.result())
    with pytest.raises(OSError, match="."):
        generator.set_users(21)
    generator.close()
    native.binding.cache_clear()
    account = server.account()
    assert result["classes"]["ok"] == result["scheduled"]
    assert result["scheduled"] == account["requests"]
    assert result["connections"]["asked"] == 12


def test_a_load_as_json() -> None:
    spec = LoadSpec(
        "http://127.0.0.1:1/",
        connections=3,
        entries=(
            Entry("/", body=b"\0\xff", headers=(("A", "b"),), weight=2),
            Entry("/x", expect_status=(201, 409), expect_body=b""),
        ),
        stages=((1.0, 0.0, 5.0),),
        visitors=((("Cookie", "a"),),),
        expect_status=(200,),
    )
    text = json.dumps(wire.to_json(spec))
    assert wire.from_json(json.loads(text)) == spec


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"url": "http://127.0.0.1:1/", "unknown": 1},
        {"url": "http://127.0.0.1:1/", "connections": 0},
        {"url": "http://127.0.0.1:1/", "connections": "many"},
        {"url": "http://127.0.0.1:1/", "entries": [{"nothing": 1}]},
        {"url": "http://127.0.0.1:1/", "entries": 5},
        {"url": "http://127.0.0.1:1/", "body": {"base64": "!"}},
        [],
        *(
            {"url": "http://127.0.0.1:1/", **more}
            for more in (
                {"url": 5},
                {"connections": 1.5},
                {"connections": True},
                {"body": "text"},
                {"keepalive": "no"},
                {"stages": [[1]]},
                {"think": 1},
                {"extra_headers": [["a"]]},
                {"extra_headers": [[1, 2]]},
                {"visitors": [["a", "b"]]},
                {"resolve": "x"},
                {"percentiles": ["x"]},
                {"percentiles": [101]},
                {"part": 2, "parts": 2},
                {"start_ns": -1},
                {"expect_status": 1000},
                {"entries": [5]},
                {"entries": [{"target": 5}]},
                {"entries": [{"target": "/", "weight": -3}]},
                {"entries": [{"target": "/", "weight": "2"}]},
                {"entries": [{"target": "/", "body": "text"}]},
                {"entries": [{"target": "/", "expect_status": "200"}]},
                {"entries": [{"target": "/", "expect_length": -7}]},
            )
        ),
    ],
)
def test_what_is_no_load(value: Any) -> None:
    with pytest.raises(UsageError):
        wire.from_json(value)


def test_every_field_has_a_check() -> None:
    for kind in (LoadSpec, Entry):
        for field in dataclasses.fields(kind):
            assert set(str(field.type).split(" | ")) <= set(wire.CHECKS)

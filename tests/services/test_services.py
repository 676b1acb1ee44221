"""Services: started on a free port, proven by an answer, missed when dead,
gone when stopped. Those that are not installed are skipped, with the way to
get them as the reason."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from wsgibench import plugins
from wsgibench.harness.services import Services
from wsgibench.services import _content, _nginx, far_origin

NAMES = plugins.names("services")


def module(name: str) -> Any:
    return plugins.load("services", name, "service")


@pytest.fixture
def services() -> Iterator[Services]:
    with Services(lambda text: None) as running:
        yield running


def needed(name: str) -> None:
    missing = module(name).missing()
    if missing:
        pytest.skip(missing)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_missing_is_said_with_the_way_to_get_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda *a, **o: None)
    sentence = module(name).missing()
    assert "./bench --with-services" in sentence
    assert module(name).PACKAGES[0] in sentence


@pytest.mark.parametrize("name", NAMES)
def test_it_answers_dies_and_comes_back(name: str, services: Services) -> None:
    needed(name)
    settings = services.need([name])[name]
    assert services.broken([name]) == ""
    assert services.need([name])[name] is settings  # the same one, running
    service = services._running[name]
    process = getattr(service, "_nginx", service)
    os.killpg(process.pid, signal.SIGKILL)
    process._process.wait(60)
    reason = services.broken([name])
    assert reason.startswith("the service %s died (exit -9)" % name)
    # The next cell that needs it finds it well.
    services.need([name])
    assert services.broken([name]) == ""


def test_nothing_is_left_when_it_is_over() -> None:
    needed("near-origin")
    with Services(lambda text: None) as running:
        running.need(["near-origin"])
        pid = running._running["near-origin"].pid
        scratch = running._scratch
        assert scratch.is_dir()
    assert not os.path.exists("/proc/%d" % pid)
    assert not scratch.exists()


def test_a_dead_service_below_is_the_reason(services: Services) -> None:
    needed("near-origin")
    services.need(["far-origin"])
    below = services._running.get("near-origin")
    if below is None or not services._needs["far-origin"]:
        pytest.skip("the link is a namespace of its own here")
    below.stop()
    reason = services.broken(["far-origin"])
    assert "origin" in reason
    assert "died" in reason or "answers no more" in reason


def test_the_origins_have_what_the_scenarios_expect(
    services: Services,
) -> None:
    needed("tls-origin")
    settings = services.need(["tls-origin"])["tls-origin"]
    ca = settings["ca"]
    assert _nginx.fetch(settings["page"], ca) == _content.PAGE
    assert _nginx.fetch(settings["feed"], ca) == _content.feed()
    # Only its own authority vouches for it.
    wrong = _nginx.check(settings["page"])
    assert "certificate verify failed" in wrong


def test_an_answer_from_afar_takes_its_time(services: Services) -> None:
    needed("far-origin")
    settings = services.need(["far-origin"])["far-origin"]
    assert settings["link"]
    before = time.monotonic()
    assert _nginx.fetch(settings["page"]) == _content.PAGE
    # There and back for the connection, there and back for the request.
    assert time.monotonic() - before >= 4 * far_origin.DELAY

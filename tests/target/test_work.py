"""Work, apart from how it is called."""

from __future__ import annotations

import importlib
from types import SimpleNamespace
from typing import Any

import pytest


def make(**functions: Any) -> Any:
    module = importlib.import_module("wsgibench_target.work")
    return module.Work(SimpleNamespace(**functions))


def test_steps_run_one_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    work = make(steps=lambda: iter([0.5, 0, 0.25, b"done", 7.0]))
    assert work.run() == b"done"
    assert waits == [0.5, 0.25]
    assert work.splits


def test_a_task_is_called_where_there_is_one() -> None:
    work = make(task=lambda: b"whole", steps=lambda: iter([b"steps"]))
    assert work.run() == b"whole"


def test_steps_without_an_end() -> None:
    work = make(steps=lambda: iter([0]))
    with pytest.raises(RuntimeError, match="ended without a body"):
        work.run()


@pytest.mark.parametrize("framework", ["wsgi", "werkzeug", "flask"])
def test_every_framework_answers_every_path(framework: str) -> None:
    if framework != "wsgi":
        pytest.importorskip(framework)
    build = importlib.import_module("wsgibench_target.build")
    task = {"app": "hello_json", "framework": framework}
    application = build.application(task)
    for path in ("/", "/1234", "/a/b"):
        status, fields, body = call(application, path)
        assert status == "200 OK"
        assert body == b'{"message": "helowrld"}'
        assert fields["content-type"].startswith("application/json")
        assert fields["content-length"] == str(len(body))


def call(application: Any, path: str) -> tuple[str, dict[str, str], bytes]:
    from wsgiref.util import setup_testing_defaults

    environ = {"PATH_INFO": path}
    setup_testing_defaults(environ)
    answer: list[Any] = []
    result = application(environ, lambda *a: answer.extend(a))
    body = b"".join(result)
    fields = {name.lower(): value for name, value in answer[1]}
    return answer[0], fields, body


def test_a_canned_answer_is_that_of_the_application() -> None:
    pages = importlib.import_module("wsgibench_target.pages")
    hello = importlib.import_module("wsgibench_target.apps.hello")
    data = pages.message(hello.application, [("Server", "x")])
    head, _, body = data.partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[:2] == [b"HTTP/1.1 200 OK", b"Server: x"]
    assert len(body) == 40
    assert b"Content-Length: 40" in head

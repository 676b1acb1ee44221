"""Servers by name, and the sentences about pairs that cannot exist."""

from __future__ import annotations

import pytest

from wsgibench import plugins
from wsgibench.errors import UsageError
from wsgibench.harness import scenario, servers
from wsgibench.harness.interpreters import Interpreter

NAMES = plugins.names(servers.FOLDER)
VERSIONS = ["2.7.18", *("3.%d.1" % minor for minor in range(6, 14))]


def cpython(version: str) -> Interpreter:
    return Interpreter("x", "/nowhere/python", "CPython", version)


PYPY = Interpreter("pypy3", "/nowhere/pypy3", "PyPy", "3.9.16")
STACKLESS = Interpreter("s", "/nowhere/python", "Stackless", "2.7.17")


def test_the_field_is_complete() -> None:
    asked = """c-uv c-uv-threads c-uv-workers null wsgiref twisted twisted-web
    tornado tornado-native tornado-loop tornado-split tornado-threads
    tornado-processes gevent gevent-stream eventlet eventlet-raw gunicorn-sync
    gunicorn-gthread gunicorn-gevent gunicorn-eventlet gunicorn-tornado
    gunicorn-meinheld cyclone concurrence concurrence-greenlet
    concurrence-wsgi concurrence-wsgi-greenlet syncless syncless-wsgi uwsgi
    meinheld bjoern fastpysgi granian waitress cheroot socketify uvicorn
    hypercorn raw-socket node"""
    assert set(asked.split()) <= set(NAMES)


@pytest.mark.parametrize(
    ("name", "interpreter", "sentence"),
    [
        (
            "meinheld",
            cpython("3.12.1"),
            "meinheld does not build on CPython 3.10 and later.",
        ),
        ("meinheld", cpython("3.9.18"), ""),
        ("bjoern", PYPY, "bjoern is written for the C API of CPython."),
        ("c-uv", PYPY, ""),
        ("c-uv", cpython("3.8.18"), "c-uv runs on CPython >=3.9, PyPy >=3.9."),
        (
            "syncless",
            cpython("3.11.7"),
            "Syncless is written for Python 2; name a 2.7 that has it.",
        ),
        ("syncless", cpython("2.7.18"), ""),
        ("syncless", STACKLESS, ""),
        ("concurrence", STACKLESS, ""),
        (
            "concurrence",
            cpython("2.7.18"),
            "Concurrence's tasklets are Stackless Python's; name a Stackless "
            "2.7.",
        ),
        ("granian", PYPY, "Granian has wheels for PyPy 3.11 only."),
    ],
)
def test_a_pair_that_cannot_exist_says_so(
    name: str, interpreter: Interpreter, sentence: str
) -> None:
    assert servers.why_not(name, interpreter) == sentence


@pytest.mark.parametrize("name", NAMES)
def test_no_hole_is_silent(name: str) -> None:
    for interpreter in [*map(cpython, VERSIONS), PYPY]:
        able = servers.supports(
            name, interpreter.implementation, interpreter.version
        )
        sentence = servers.why_not(name, interpreter)
        assert able or (sentence.endswith(".") and len(sentence) > 20)


def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    sentence = servers.why_not("node", cpython("3.11.7"))
    assert sentence == ("node is not on the PATH; install the package nodejs.")


def test_options_are_parsed_and_checked() -> None:
    assert servers.find("c-uv:threads=16").options == {"threads": 16}
    with pytest.raises(UsageError, match="no option 'thread'; it has: thre"):
        servers.find("c-uv:thread=16")
    with pytest.raises(UsageError, match="is a number, not 'many'"):
        servers.find("c-uv:threads=many")
    with pytest.raises(UsageError, match="there is no server 'c-vu'"):
        servers.find("c-vu")


@pytest.mark.parametrize(
    ("server", "asked", "sentence"),
    [
        ("c-uv", "hello", ""),
        ("null", "hello", ""),
        ("null", "sleep", "null answers a fixed page; it runs no appl"),
        ("null", "hello-logged", "null answers a fixed page;"),
        ("node", "hello-logged", ""),
        ("tornado-split", "sleep", "the work of sleep is not cut into steps."),
        ("tornado-split", "cpu", ""),
        ("tornado-loop", "cpu", ""),
        ("tornado-loop", "cpu+flask", "tornado-loop runs no WSGI application"),
        ("gevent", "cpu+flask", ""),
        ("gevent", "raw", "raw is for servers that speak HTTP by hand."),
        ("gevent-stream", "raw", ""),
    ],
)
def test_servers_and_scenarios(server: str, asked: str, sentence: str) -> None:
    why = servers.why_not_scenario(servers.find(server), scenario.find(asked))
    assert why.startswith(sentence)
    assert bool(why) == bool(sentence)

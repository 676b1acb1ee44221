"""docs/deployment.md: its files are taken out of the page and used."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest

from tests.native.process import (
    Program,
    children,
    get,
    programs,
    serve_command,
    until,
)
from tests.native.serving import APP, until_replaced
from wsgibench.cli import build_parser
from wsgibench.services._process import free_port

PAGE = Path(__file__).resolve().parents[2] / "docs" / "deployment.md"
TUTORIAL = PAGE.parent / "tutorials" / "behind-nginx.md"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)

Run = Callable[..., Program]


def block(language: str, words: str = "", page: Path = PAGE) -> str:
    """The one block of that language in which the words stand."""
    (found,) = [
        match.group(2)
        for match in FENCE.finditer(page.read_text())
        if match.group(1) == language and words in match.group(2)
    ]
    return found


def replaced(text: str, **parts: str) -> str:
    """What must stand there, and must be another here."""
    for old, new in parts.items():
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.fixture
def run(binding: str, tmp_path: Path) -> Iterator[Run]:
    (tmp_path / "an_app.py").write_text(APP)
    with programs() as start:

        def serve(*arguments: str) -> Program:
            return start(
                serve_command("an_app", *arguments),
                {"WSGIBENCH_BACKEND": binding},
                tmp_path,
            )

        yield serve


def needs(command: str) -> str:
    found = shutil.which(command, path=os.environ["PATH"] + ":/usr/sbin")
    if found is None:
        pytest.skip("%s is not installed" % command)
    return found


def answers(port: int, path: str = "/") -> int:
    """The status, 0 if nobody is there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0


# Proxies in front ------------------------------------------------------------


def nginx_config(text: str, listen: str, tmp_path: Path, port: int) -> Path:
    """A page's, with paths and a port that are free here."""
    text = replaced(
        text,
        **{
            "/run/mysite/http.sock": str(tmp_path / "http.sock"),
            listen: "listen 127.0.0.1:%d" % port,
        },
    )
    temporary = "".join(
        "%s_temp_path %s;\n" % (name, tmp_path / name)
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    text = text.replace("http {", "http {\naccess_log off;\n" + temporary, 1)
    config = tmp_path / "nginx.conf"
    config.write_text(
        "daemon off;\npid %s;\nerror_log stderr;\nuser root;\n%s"
        % (tmp_path / "nginx.pid", text)
    )
    return config


def test_the_nginx_of_the_tutorial(run: Run, tmp_path: Path) -> None:
    nginx, port = needs("nginx"), free_port()
    text = "events {}\nhttp {\n%s}\n" % block("text", "upstream", TUTORIAL)
    config = nginx_config(text, "listen 80", tmp_path, port)
    words = shlex.split(block("sh", "serve", TUTORIAL))
    options = words[words.index("--workers") :]
    log = tmp_path / "access.log"
    assert options[-2:] == ["--access-log", "-"]
    options[-1] = str(log)
    program = run("--bind=unix:%s" % (tmp_path / "http.sock"), *options)
    program.line("serving on")
    with programs() as start:
        start([nginx, "-p", str(tmp_path), "-c", str(config)], {})
        until(lambda: answers(port) == 200, "nginx does not answer")
    assert program.stop() == 0, program.text
    # Over a unix socket: the address is nginx's word.
    lines = log.read_text().splitlines()
    assert lines
    for line in lines:
        assert line.startswith("127.0.0.1 "), line
        assert '"GET / HTTP/1.1" 200' in line


def test_nginx(run: Run, tmp_path: Path) -> None:
    """Kept connections, a large body, and a reload behind its back."""
    nginx, port = needs("nginx"), free_port()
    path = tmp_path / "http.sock"
    config = nginx_config(block("nginx"), "listen 8080", tmp_path, port)
    program = run("--bind=unix:%s" % path, "--workers=2", "--idle-timeout=75")
    program.line("serving on")
    with programs() as start:
        start([nginx, "-p", str(tmp_path), "-c", str(config)], {})
        until(lambda: answers(port) == 200, "nginx does not answer")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        seen = set()
        for number in range(60):
            if number == 20:
                before = children(program.pid)
                program.process.send_signal(signal.SIGHUP)
            if number == 40:
                until_replaced(program, before)
            body = b"x" * 300_000 if number % 10 == 0 else None
            connection.request("POST" if body else "GET", "/", body)
            response = connection.getresponse()
            assert response.status == 200
            seen.add(response.read())
        assert len(seen) >= 2
        connection.close()
    assert program.stop() == 0, program.text


def test_haproxy(run: Run, tmp_path: Path) -> None:
    """A server that drains gets no new requests, and is not cut off."""
    haproxy, port, behind = needs("haproxy"), free_port(), free_port()
    config = tmp_path / "haproxy.cfg"
    config.write_text(
        replaced(
            block("haproxy"),
            **{
                "bind :8080": "bind 127.0.0.1:%d" % port,
                "127.0.0.1:8000": "127.0.0.1:%d" % behind,
            },
        )
    )
    subprocess.run([haproxy, "-c", "-f", str(config)], check=True)
    program = run(
        "--bind=127.0.0.1:%d" % behind,
        "--health-path=/healthz",
        "--drain-delay=30",
    )
    program.line("serving on")
    with programs() as start:
        start([haproxy, "-f", str(config)], {})
        until(lambda: answers(port) == 200, "HAProxy does not answer")
        program.process.send_signal(signal.SIGTERM)
        until(lambda: answers(port) == 503, "HAProxy still sends requests")
        # Who comes by another way is still served.
        assert get(behind).endswith(b" one")
        assert answers(behind, "/healthz") == 503
    program.line("stopping")
    assert program.stop() == 0, program.text


# systemd ---------------------------------------------------------------------


def test_systemd_units_are_valid(tmp_path: Path) -> None:
    analyze = needs("systemd-analyze")
    service = replaced(
        block("ini", "[Service]"),
        **{
            "/srv/mysite/venv/bin/python": sys.executable,
            "WorkingDirectory=/srv/mysite": "WorkingDirectory=%s" % tmp_path,
        },
    )
    (tmp_path / "mysite.service").write_text(service)
    (tmp_path / "mysite.socket").write_text(block("ini", "[Socket]"))
    done = subprocess.run(
        [analyze, "verify", "mysite.service", "mysite.socket"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    ours = [line for line in done.stderr.splitlines() if "mysite" in line]
    assert not ours


def test_the_commands_of_unit_and_container() -> None:
    parser = build_parser()
    service = block("ini", "[Service]")
    (command,) = re.findall("^ExecStart=(.*)$", service, re.MULTILINE)
    words = command.split()
    assert words[1:3] == ["-m", "wsgibench"]
    parser.parse_args(words[3:])
    (text,) = re.findall("^CMD (.*)$", block("dockerfile"), re.MULTILINE)
    words = json.loads(text)
    assert words[:3] == ["python", "-m", "wsgibench"]
    parser.parse_args(words[3:])


# Configuration ---------------------------------------------------------------


def test_the_configuration_file(binding: str, tmp_path: Path) -> None:
    (tmp_path / "wsgibench.toml").write_text(block("toml"))
    with programs() as start:
        program = start(
            serve_command("--print-config"),
            {"WSGIBENCH_BACKEND": binding},
            tmp_path,
        )
        assert program.wait() == 0, program.text
        assert program.process.stdout is not None
        lines = program.process.stdout.read()
    assert 'workers = "auto"  # wsgibench.toml' in lines


# Frameworks ------------------------------------------------------------------

DJANGO = """
import django.conf, django.core.wsgi, django.http, django.urls

def index(request):
    return django.http.HttpResponse("django " + request.scheme)

urlpatterns = [django.urls.path("", index)]
django.conf.settings.configure(
    ROOT_URLCONF=__name__, SECRET_KEY="x", ALLOWED_HOSTS=["*"])
application = django.core.wsgi.get_wsgi_application()
"""
FLASK = """
import flask

def create_app():
    app = flask.Flask("hello")
    app.route("/")(lambda: "flask " + flask.request.scheme)
    return app

app = create_app()
"""


@pytest.mark.parametrize(
    ("library", "application", "expected"),
    [
        ("django", "mysite.wsgi", b"django http"),
        ("flask", "hello:create_app()", b"flask http"),
        ("flask", "hello:app", b"flask http"),
    ],
)
def test_frameworks(
    binding: str,
    tmp_path: Path,
    library: str,
    application: str,
    expected: bytes,
) -> None:
    """As the page's commands serve them; and by SIGHUP again."""
    pytest.importorskip(library)
    (tmp_path / "mysite").mkdir()
    (tmp_path / "mysite" / "__init__.py").write_text("")
    (tmp_path / "mysite" / "wsgi.py").write_text(DJANGO)
    (tmp_path / "hello.py").write_text(FLASK)
    with programs() as start:
        program = start(
            serve_command(application, "--threads=4", "--port=0"),
            {"WSGIBENCH_BACKEND": binding},
            tmp_path,
        )
        port = program.port()
        before = children(program.pid)
        assert get(port) == expected
        program.process.send_signal(signal.SIGHUP)
        until_replaced(program, before)
        assert get(port) == expected
        assert program.stop() == 0, program.text

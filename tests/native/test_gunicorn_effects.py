"""What gunicorn's settings do: limits, logs, hooks, files, TLS, users."""

from __future__ import annotations

import http.client
import pwd
import signal
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from tests.native.gunicorn_app import APP, ask
from tests.native.process import another_user, get, open_folder, until
from tests.native.serving import Run, port_of

HOOKS = """
import time

def pre_request(worker, req):
    with open("hooks", "a") as file:
        file.write("pre %s %s %s\\n" % (req.method, req.path, req.query))
        file.write("%s\\n" % dict(req.headers).get("X-A"))

def post_request(worker, req, environ, resp):
    with open("hooks", "a") as file:
        file.write("post %s %d\\n" % (resp.status, resp.sent))
"""


# Connections and limits ------------------------------------------------------


@pytest.mark.parametrize(("seconds", "kept"), [(0, False), (2, True)])
def test_keep_alive(run_gapp: Run, seconds: int, kept: bool) -> None:
    program = run_gapp("--keep-alive=%d" % seconds)
    port = port_of(program)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/")
    response = connection.getresponse()
    assert (response.getheader("Connection") == "close") != kept
    response.read()
    assert (connection.sock is not None) == kept
    assert program.stop() == 0, program.text


def test_limits(run_gapp: Run) -> None:
    program = run_gapp(
        "--limit-request-field_size=100", "--limit-request-fields=5"
    )
    port = port_of(program)
    assert ask(port, X_A="x" * 50)[0] == 200
    assert ask(port, X_A="x" * (100 - len("X-A: \r\n")))[0] == 200
    assert ask(port, X_A="x" * (101 - len("X-A: \r\n")))[0] == 431
    many = {"X_%d" % number: "a" for number in range(6)}
    assert ask(port, **many)[0] == 431
    assert program.stop() == 0, program.text


def test_the_usual_field_size(run_gapp: Run) -> None:
    """8190, although nobody has said so."""
    port = port_of(run_gapp())
    assert ask(port, X_A="x" * 8000)[0] == 200
    assert ask(port, X_A="x" * 8200)[0] == 431


# Logs and hooks --------------------------------------------------------------


def test_hooks_of_requests(run_gapp: Run, tmp_path: Path) -> None:
    (tmp_path / "hooks.py").write_text(HOOKS)
    program = run_gapp("-c", "hooks.py")
    port = port_of(program)
    body = ask(port, "/page?a=b", X_A="value")[1]
    log = tmp_path / "hooks"
    until(lambda: log.exists() and "post" in log.read_text(), "no hook")
    assert log.read_text().splitlines() == [
        "pre GET /page a=b",
        "value",
        "post 200 OK %d" % len(body),
    ]
    log.unlink()
    assert ask(port, "/raise")[0] == 500
    until(lambda: log.exists() and "post" in log.read_text(), "no hook")
    assert "post 500 Internal Server Error 0" in log.read_text()
    assert program.stop() == 0


def test_access_log_format(run_gapp: Run, tmp_path: Path) -> None:
    log = tmp_path / "access"
    program = run_gapp(
        "--access-logfile", str(log),
        "--access-logformat",
        '%(m)s %(U)s %(q)s %(s)s %(b)s "%({x-a}i)s" %({content-type}o)s %(D)s',
    )  # fmt: skip
    port = port_of(program)
    body = ask(port, "/page?a=b", X_A="value")[1]
    until(lambda: log.exists() and log.read_text(), "no line")
    line = log.read_text().splitlines()[0]
    start = 'GET /page a=b 200 %d "value" text/plain ' % len(body)
    assert line.startswith(start)
    assert line[len(start) :].isdigit()
    assert program.stop() == 0


def test_statsd(run_gapp: Run) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as statsd:
        statsd.bind(("127.0.0.1", 0))
        statsd.settimeout(60)
        address = "127.0.0.1:%d" % statsd.getsockname()[1]
        program = run_gapp("--statsd-host", address, "--statsd-prefix", "my")
        port = port_of(program)
        assert ask(port, "/page")[0] == 200
        wanted = {"my.gunicorn.requests:1", "my.gunicorn.request.status.200:1"}
        while wanted:
            text = statsd.recv(1000).decode()
            wanted = {each for each in wanted if not text.startswith(each)}
        assert program.stop() == 0


def test_debug_lines_of_requests(run_gapp: Run) -> None:
    program = run_gapp("--log-level=debug")
    port = port_of(program)
    ask(port, "/page")
    program.line("GET /page")
    assert program.stop() == 0


# Files -----------------------------------------------------------------------


def test_no_sendfile(run_gapp: Run) -> None:
    program = run_gapp("--no-sendfile")
    port = port_of(program)
    assert ask(port, "/class")[1].startswith(b"gunicorn")
    assert ask(port, "/file")[1].decode() == APP
    assert program.stop() == 0


# TLS -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("tls")
    cert, key = str(folder / "cert.pem"), str(folder / "key.pem")
    command = (
        "openssl req -x509 -newkey ec -nodes -days 2 -subj /CN=localhost "
        "-pkeyopt ec_paramgen_curve:prime256v1 "
        "-addext subjectAltName=DNS:localhost -keyout %s -out %s" % (key, cert)
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    return cert, key


def handshake(port: int, pair: tuple[str, str], own: bool) -> bytes:
    context = ssl.create_default_context(cafile=pair[0])
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    if own:
        context.load_cert_chain(*pair)
    with socket.create_connection(("127.0.0.1", port), 20) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as sock:
            sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return (sock.cipher() or ("",))[0].encode() + sock.recv(1000)


def test_client_certificates_and_ciphers(
    run_gapp: Run, pair: tuple[str, str]
) -> None:
    program = run_gapp(
        "--certfile", pair[0], "--keyfile", pair[1],
        "--cert-reqs=2", "--ca-certs", pair[0],
        "--ciphers", "ECDHE-ECDSA-AES256-GCM-SHA384",
    )  # fmt: skip
    port = port_of(program)
    answer = handshake(port, pair, True)
    assert answer.startswith(b"ECDHE-ECDSA-AES256-GCM-SHA384HTTP/1.1 200")
    assert b"https" in answer or answer.count(b"\r\n")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        assert handshake(port, pair, False) == b"refused"
    assert program.stop() == 0, program.text


@another_user
def test_logs_of_another_user_are_rotated(run_gapp: Run) -> None:
    """Only gunicorn's parent can open them again."""
    with open_folder() as folder:
        (folder / "gapp.py").write_text(APP)
        log = folder / "access"
        program = run_gapp(
            *("--user=nobody", "--group=%d" % pwd.getpwnam("nobody").pw_gid),
            *("--chdir=%s" % folder, "--access-logfile=access"),
        )
        port = port_of(program)
        assert get(port).startswith(b"http")
        log.rename(folder / "access.1")
        program.process.send_signal(signal.SIGUSR1)
        until(log.exists, "it was not opened again")

        def is_written() -> bool:
            assert get(port).startswith(b"http")
            return '"GET / HTTP/1.1" 200' in log.read_text()

        until(is_written, "no worker writes to it")
        assert program.stop() == 0, program.text


@another_user
def test_another_user_and_umask(run_gapp: Run) -> None:
    """gunicorn does it before the worker serves."""
    with open_folder() as folder:
        (folder / "gapp.py").write_text(APP)
        program = run_gapp(
            "--user=nobody", "--umask=077", "--chdir=%s" % folder
        )
        assert get(port_of(program)).startswith(b"http")
        assert program.stop() == 0, program.text

"""Each of gunicorn's settings is honoured by the worker, or refused."""

from __future__ import annotations

import argparse
import http.client
import pwd
import signal
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from tests.native.process import (
    Program,
    another_user,
    get,
    open_folder,
    until,
)
from tests.native.serving import Run, port_of
from wsgibench.commands import serve

config = pytest.importorskip("gunicorn.config")
settings = pytest.importorskip("wsgibench.gunicorn.settings")

APP = """
import os

def app(environ, start_response):
    path = environ["PATH_INFO"]
    fields = [("Content-Type", "text/plain")]
    if path == "/file":
        start_response("200 OK", fields)
        return environ["wsgi.file_wrapper"](open(__file__, "rb"))
    if path == "/class":
        start_response("200 OK", fields)
        return [environ["wsgi.file_wrapper"].__module__.encode()]
    if path == "/raise":
        raise ValueError("from the application")
    if path == "/large":
        environ["wsgi.input"].read()
    start_response("200 OK", fields)
    if path.startswith("/underscores"):
        names = sorted(name for name in environ if "X_A" in name)
        return [repr([(name, environ[name]) for name in names]).encode()]
    names = ("wsgi.url_scheme", "SCRIPT_NAME", "PATH_INFO", "FROM_RAW_ENV")
    found = [environ.get(name, os.environ.get(name, "")) for name in names]
    return [" ".join(found).encode()]
"""

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


@pytest.fixture
def run(gunicorn: Run, tmp_path: Path) -> Run:
    (tmp_path / "gapp.py").write_text(APP)

    def start(*arguments: str, **environment: str) -> Program:
        return gunicorn(*arguments, "gapp:app", **environment)

    return start


def ask(port: int, path: str = "/", **fields: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    names = {name.replace("_", "-"): value for name, value in fields.items()}
    connection.request("GET", path, headers=names)
    response = connection.getresponse()
    answer = response.status, response.read()
    connection.close()
    return answer


# The list --------------------------------------------------------------------


def test_every_setting_of_gunicorns_is_in_one_table() -> None:
    """A version that adds one fails here, until somebody has decided."""
    tables = [
        settings.GUNICORN,
        settings.WORKER,
        settings.OTHERS,
        settings.LIMITED.keys(),
        settings.HOOKS.keys(),
    ]
    known = [setting.name for setting in config.KNOWN_SETTINGS]
    assert len(known) > 70
    wrong = [
        name for name in known if sum(name in table for table in tables) != 1
    ]
    assert not wrong


#: Flags of gunicorn's that serve has not, and what it has instead.
INSTEAD = {
    # nothing: there is one kind of worker, which reads HTTP/1.1 strictly
    **dict.fromkeys(
        ["worker_class", "protocol", "uwsgi_allow_ips", "http_protocols",
         "http2_cleartext", "http2_max_concurrent_streams",
         "http2_initial_window_size", "http2_max_frame_size",
         "http2_max_header_list_size", "permit_obsolete_folding",
         "strip_header_spaces", "permit_unconventional_http_method",
         "permit_unconventional_http_version", "casefold_http_method",
         "http_parser", "asgi_loop", "asgi_lifespan", "sendfile",
         "asgi_disconnect_grace_period", "websocket_max_message_size",
         "suppress_ragged_eofs", "do_handshake_on_connect"],
    ),
    "config": "--config, a TOML file",
    "initgroups": "always done",
    "worker_tmp_dir": "shared memory without a file",
    "enable_stdio_inheritance": "always done",
    "reload_engine": "--reload",
    "header_map": "--underscored-headers",
    "forwarder_headers": "--underscored-headers, --forwarded-headers",
    "ssl_version": "--ssl-protocol-min",
    "enable_backlog_metric": "the queue wait of --metrics",
    "logger_class": "--log-config",
    "logconfig_json": "--log-config FILE.json",
    "disable_redirect_access_to_syslog": "--access-log",
    # only with -k wsgibench.gunicorn.Worker: docs/deployment.md says so
    **dict.fromkeys(
        ["daemon", "spew", "syslog", "syslog_addr", "syslog_prefix",
         "syslog_facility", "paste", "raw_paste_global_conf", "dirty_apps",
         "dirty_workers", "dirty_timeout", "dirty_threads",
         "dirty_graceful_timeout", "control_socket", "control_socket_mode",
         "control_socket_disable"],
        "gunicorn",
    ),
}  # fmt: skip


def test_every_flag_of_gunicorns_is_one_of_serve_or_decided() -> None:
    parser = argparse.ArgumentParser()
    serve.add_arguments(parser)
    ours = set(parser._option_string_actions)
    missing = [
        setting.name
        for setting in config.KNOWN_SETTINGS
        if not ours & {f for f in setting.cli or () if f[:2] == "--"}
        and setting.cli
    ]
    assert set(missing) <= set(INSTEAD)


def test_the_defaults_are_served() -> None:
    settings.check(config.Config())


def test_a_setting_that_a_later_gunicorn_adds_is_refused() -> None:
    class Later(config.Setting):  # type: ignore[misc, name-defined]
        name = "later"
        section = "Later"
        validator = config.validate_bool
        default = False
        desc = "of a later version"

    try:
        cfg = config.Config()
        settings.check(cfg)
        cfg.set("later", True)
        with pytest.raises(settings.UsageError, match="later = True"):
            settings.check(cfg)
    finally:
        config.KNOWN_SETTINGS.remove(Later)


def exists(name: str) -> bool:
    return name in {setting.name for setting in config.KNOWN_SETTINGS}


REFUSED = [
    ("protocol", "--protocol=uwsgi"),
    ("http_protocols", "--http-protocols=h1,h2"),
    ("http_parser", "--http-parser=python"),
    ("permit_obsolete_folding", "--permit-obsolete-folding"),
    ("strip_header_spaces", "--strip-header-spaces"),
    ("casefold_http_method", "--casefold-http-method"),
    (
        "permit_unconventional_http_method",
        "--permit-unconventional-http-method",
    ),
    (
        "permit_unconventional_http_version",
        "--permit-unconventional-http-version",
    ),
    ("limit_request_field_size", "--limit-request-field_size=100000"),
]


@pytest.mark.parametrize(("name", "argument"), REFUSED)
def test_what_cannot_be_honoured_is_refused(
    run: Run, name: str, argument: str
) -> None:
    if not exists(name):
        pytest.skip("this gunicorn does not have it")
    program = run(argument)
    assert program.wait() != 0
    # gunicorn itself refuses h2 where its library is missing.
    (line,) = [x for x in program.lines if name in x]
    assert "cannot serve with" in line or "not installed" in line
    assert "Traceback" not in program.text


def test_a_hook_that_cannot_be_called_is_refused(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "hooks.py").write_text(
        "def ssl_context(config, default): return default()\n"
    )
    program = run("-c", "hooks.py")
    program.line("ssl_context")
    assert program.wait() != 0


# Connections and limits ------------------------------------------------------


@pytest.mark.parametrize(("seconds", "kept"), [(0, False), (2, True)])
def test_keep_alive(run: Run, seconds: int, kept: bool) -> None:
    program = run("--keep-alive=%d" % seconds)
    port = port_of(program)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/")
    response = connection.getresponse()
    assert (response.getheader("Connection") == "close") != kept
    response.read()
    assert (connection.sock is not None) == kept
    assert program.stop() == 0, program.text


def test_limits(run: Run) -> None:
    program = run("--limit-request-field_size=100", "--limit-request-fields=5")
    port = port_of(program)
    assert ask(port, X_A="x" * 50)[0] == 200
    assert ask(port, X_A="x" * (100 - len("X-A: \r\n")))[0] == 200
    assert ask(port, X_A="x" * (101 - len("X-A: \r\n")))[0] == 431
    many = {"X_%d" % number: "a" for number in range(6)}
    assert ask(port, **many)[0] == 431
    assert program.stop() == 0, program.text


def test_the_usual_field_size(run: Run) -> None:
    """8190, although nobody has said so."""
    port = port_of(run())
    assert ask(port, X_A="x" * 8000)[0] == 200
    assert ask(port, X_A="x" * 8200)[0] == 431


# Proxies ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("allowed", "scheme"),
    [
        (None, b"https"),
        ("*", b"https"),
        ("10.0.0.0/8,127.0.0.0/8", b"https"),
        ("10.0.0.1", b"http"),
    ],
)
def test_the_scheme_that_a_proxy_tells(
    run: Run, allowed: str | None, scheme: bytes
) -> None:
    if (
        allowed
        and "/" in allowed
        and not hasattr(config.Config, "forwarded_allow_networks")
    ):
        pytest.skip("this gunicorn knows no networks")
    arguments = (
        () if allowed is None else ("--forwarded-allow-ips=" + allowed,)
    )
    program = run(*arguments)
    port = port_of(program)
    for _ in range(2):  # the second is found in the memo of blocks
        assert ask(port, X_Forwarded_Proto="https")[1].split()[0] == scheme
        assert ask(port, X_Forwarded_Proto="http")[1].split()[0] == b"http"
        assert ask(port)[1].split()[0] == b"http"
    contradiction = ask(port, X_Forwarded_Proto="https", X_Forwarded_Ssl="no")
    assert contradiction[0] == (400 if scheme == b"https" else 200)
    assert program.stop() == 0, program.text


def test_script_name_of_the_environment(run: Run) -> None:
    program = run("-e", "SCRIPT_NAME=/mounted", "-e", "FROM_RAW_ENV=yes")
    port = port_of(program)
    assert ask(port, "/mounted/page")[1] == b"http /mounted /page yes"
    assert ask(port, "/elsewhere")[0] == 500
    program.line("does not start with SCRIPT_NAME")
    assert program.stop() == 0


def raw(port: int, *lines: str) -> tuple[int, bytes]:
    head = "\r\n".join([*lines, "Host: a", "", ""])
    with socket.create_connection(("127.0.0.1", port), 20) as sock:
        sock.sendall(head.encode())
        answer = sock.makefile("rb").read()
    return int(answer.split()[1]), answer.partition(b"\r\n\r\n")[2]


def test_script_name_of_a_proxy(run: Run) -> None:
    """forwarder_headers; believed of those in forwarded_allow_ips."""
    if not exists("forwarder_headers"):
        pytest.skip("this gunicorn does not have it")
    port = port_of(run("-e", "SCRIPT_NAME=/b", "--header-map=drop"))
    line, field = "GET /a/page HTTP/1.0", "SCRIPT_NAME: /a"
    for _ in range(2):  # the second is found in the memo of blocks
        assert raw(port, line, field) == (200, b"http /a /page ")
        assert raw(port, line, "Script-Name: /a")[0] == 500
        assert raw(port, "GET /b/x HTTP/1.0") == (200, b"http /b /x ")
    assert raw(port, line, "SCRIPT_NAME: /c")[0] == 500
    port = port_of(run("--forwarded-allow-ips=10.0.0.1"))
    assert raw(port, line, field) == (200, b"http  /a/page ")


@pytest.mark.parametrize(
    ("arguments", "status", "seen"),
    [
        ((), 200, [("HTTP_X_A", "2")]),
        (("--header-map=refuse",), 400, None),
        (("--header-map=dangerous",), 200, [("HTTP_X_A", "2,1")]),
        (("--forwarder-headers=X_A",), 200, [("HTTP_X_A", "2,1")]),
        (
            ("--forwarder-headers=X_A", "--forwarded-allow-ips=10.0.0.1"),
            200,
            [("HTTP_X_A", "2")],
        ),
        (
            (
                "--forwarder-headers=X_A",
                "--header-map=refuse",
                "--forwarded-allow-ips=10.0.0.1",
            ),
            400,
            None,
        ),
    ],
)
def test_fields_with_an_underscore(
    run: Run, arguments: tuple[str, ...], status: int, seen: object
) -> None:
    if not exists("header_map"):
        pytest.skip("this gunicorn does not have it")
    port = port_of(run(*arguments))
    lines = ("GET /underscores HTTP/1.0", "X_A: 1", "X-A: 2")
    for _ in range(2):
        answer = raw(port, *lines)
        assert answer[0] == status
        assert seen is None or answer[1].decode() == repr(seen)
    assert raw(port, "GET / HTTP/1.0")[0] == 200


WITH_PROXY = "--proxy-protocol" + (
    "=v1" if hasattr(config, "validate_proxy_protocol") else ""
)


@pytest.mark.parametrize(
    ("allowed", "scheme"),
    [("127.0.0.1,::1", b"https"), ("*", b"https"), ("192.0.2.7", b"http")],
)
def test_the_proxy_protocol(run: Run, allowed: str, scheme: bytes) -> None:
    """The balancer is asked for in forwarded_allow_ips, not the client."""
    program = run(WITH_PROXY, "--forwarded-allow-ips", allowed)
    port = port_of(program)
    with socket.create_connection(("127.0.0.1", port), 20) as sock:
        sock.sendall(
            b"PROXY TCP4 192.0.2.7 192.0.2.1 1234 80\r\n"
            b"GET / HTTP/1.0\r\nX-Forwarded-Proto: https\r\n\r\n"
        )
        answer = sock.makefile("rb").read()
    assert b" 200 " in answer.partition(b"\r\n")[0]
    assert answer.partition(b"\r\n\r\n")[2].split()[0] == scheme
    assert program.stop() == 0


def test_balancers_that_differ_are_refused(run: Run) -> None:
    program = run(
        *(WITH_PROXY, "--proxy-allow-from", "127.0.0.1,192.0.2.7"),
        *("--forwarded-allow-ips", "127.0.0.1"),
    )
    assert program.wait() != 0
    (line,) = [x for x in program.lines if "forwarded_allow_ips" in x]
    assert "cannot serve with" in line


# Logs and hooks --------------------------------------------------------------


def test_hooks_of_requests(run: Run, tmp_path: Path) -> None:
    (tmp_path / "hooks.py").write_text(HOOKS)
    program = run("-c", "hooks.py")
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


def test_access_log_format(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "access"
    program = run(
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


def test_statsd(run: Run) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as statsd:
        statsd.bind(("127.0.0.1", 0))
        statsd.settimeout(20)
        address = "127.0.0.1:%d" % statsd.getsockname()[1]
        program = run("--statsd-host", address, "--statsd-prefix", "my")
        port = port_of(program)
        assert ask(port, "/page")[0] == 200
        wanted = {"my.gunicorn.requests:1", "my.gunicorn.request.status.200:1"}
        while wanted:
            text = statsd.recv(1000).decode()
            wanted = {each for each in wanted if not text.startswith(each)}
        assert program.stop() == 0


def test_debug_lines_of_requests(run: Run) -> None:
    program = run("--log-level=debug")
    port = port_of(program)
    ask(port, "/page")
    program.line("GET /page")
    assert program.stop() == 0


# Files -----------------------------------------------------------------------


def test_no_sendfile(run: Run) -> None:
    program = run("--no-sendfile")
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
    run: Run, pair: tuple[str, str]
) -> None:
    program = run(
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
def test_logs_of_another_user_are_rotated(run: Run) -> None:
    """Only gunicorn's parent can open them again."""
    with open_folder() as folder:
        (folder / "gapp.py").write_text(APP)
        log = folder / "access"
        program = run(
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
def test_another_user_and_umask(run: Run) -> None:
    """gunicorn does it before the worker serves."""
    with open_folder() as folder:
        (folder / "gapp.py").write_text(APP)
        program = run("--user=nobody", "--umask=077", "--chdir=%s" % folder)
        assert get(port_of(program)).startswith(b"http")
        assert program.stop() == 0, program.text

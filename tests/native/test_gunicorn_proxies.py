"""gunicorn's settings about proxies: who is believed, and what."""

from __future__ import annotations

import socket

import pytest

from tests.native.gunicorn_app import ask, config, exists
from tests.native.serving import Run, port_of


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
    run_gapp: Run, allowed: str | None, scheme: bytes
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
    program = run_gapp(*arguments)
    port = port_of(program)
    for _ in range(2):  # the second is found in the memo of blocks
        assert ask(port, X_Forwarded_Proto="https")[1].split()[0] == scheme
        assert ask(port, X_Forwarded_Proto="http")[1].split()[0] == b"http"
        assert ask(port)[1].split()[0] == b"http"
    contradiction = ask(port, X_Forwarded_Proto="https", X_Forwarded_Ssl="no")
    assert contradiction[0] == (400 if scheme == b"https" else 200)
    assert program.stop() == 0, program.text


def test_script_name_of_the_environment(run_gapp: Run) -> None:
    program = run_gapp("-e", "SCRIPT_NAME=/mounted", "-e", "FROM_RAW_ENV=yes")
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


def test_script_name_of_a_proxy(run_gapp: Run) -> None:
    """forwarder_headers; believed of those in forwarded_allow_ips."""
    if not exists("forwarder_headers"):
        pytest.skip("this gunicorn does not have it")
    port = port_of(run_gapp("-e", "SCRIPT_NAME=/b", "--header-map=drop"))
    line, field = "GET /a/page HTTP/1.0", "SCRIPT_NAME: /a"
    for _ in range(2):  # the second is found in the memo of blocks
        assert raw(port, line, field) == (200, b"http /a /page ")
        assert raw(port, line, "Script-Name: /a")[0] == 500
        assert raw(port, "GET /b/x HTTP/1.0") == (200, b"http /b /x ")
    assert raw(port, line, "SCRIPT_NAME: /c")[0] == 500
    port = port_of(run_gapp("--forwarded-allow-ips=10.0.0.1"))
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
    run_gapp: Run, arguments: tuple[str, ...], status: int, seen: object
) -> None:
    if not exists("header_map"):
        pytest.skip("this gunicorn does not have it")
    port = port_of(run_gapp(*arguments))
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
def test_the_proxy_protocol(
    run_gapp: Run, allowed: str, scheme: bytes
) -> None:
    """The balancer is asked for in forwarded_allow_ips, not the client."""
    program = run_gapp(WITH_PROXY, "--forwarded-allow-ips", allowed)
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


def test_balancers_that_differ_are_refused(run_gapp: Run) -> None:
    program = run_gapp(
        *(WITH_PROXY, "--proxy-allow-from", "127.0.0.1,192.0.2.7"),
        *("--forwarded-allow-ips", "127.0.0.1"),
    )
    assert program.wait() != 0
    (line,) = [x for x in program.lines if "forwarded_allow_ips" in x]
    assert "cannot serve with" in line

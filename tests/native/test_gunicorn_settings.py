"""Each of gunicorn's settings is in one table, and what cannot be honoured
is refused."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from tests.native.gunicorn_app import config, exists
from tests.native.serving import Run
from wsgibench.commands import serve

settings = pytest.importorskip("wsgibench.gunicorn.settings")
peers = pytest.importorskip("wsgibench.gunicorn.peers")


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
    class Later(config.Setting):  # type: ignore[misc]
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


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("ssl_version", "TLSv1", "ssl_version = 'TLSv1': TLS 1.2 and later"),
        ("ssl_version", 3, "ssl_version = 3: TLS 1.2 and later"),
        ("forwarded_allow_ips", "nobody", "forwarded_allow_ips is a list"),
        ("forwarded_allow_ips", "fe80::1%lo", "forwarded_allow_ips is a list"),
        ("proxy_allow_ips", "nobody", "proxy_allow_ips is a list"),
    ],
)
def test_what_is_no_value_of_a_setting_is_refused(
    name: str, value: str | int, words: str
) -> None:
    cfg = config.Config()
    # As gunicorn has it after its own checks, which differ by version.
    setting = cfg.settings[name]
    setting.value = [value] if "allow" in name else value
    with pytest.raises(settings.UsageError, match=words):
        settings.check(cfg)


def test_a_netmask_is_a_network() -> None:
    cfg = config.Config()
    allowed = ["10.0.0.0/255.0.0.0", ""]
    cfg.settings["forwarded_allow_ips"].value = allowed
    settings.check(cfg)
    may_forward = peers.who_may_forward(cfg, False)
    assert may_forward("10.1.2.3")
    assert not may_forward("11.1.2.3")


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
    run_gapp: Run, name: str, argument: str
) -> None:
    if not exists(name):
        pytest.skip("this gunicorn does not have it")
    program = run_gapp(argument)
    assert program.wait() != 0
    # gunicorn itself refuses h2 where its library is missing.
    (line,) = [x for x in program.lines if name in x]
    assert "cannot serve with" in line or "not installed" in line
    assert "Traceback" not in program.text


def test_a_hook_that_cannot_be_called_is_refused(
    run_gapp: Run, tmp_path: Path
) -> None:
    (tmp_path / "hooks.py").write_text(
        "def ssl_context(config, default): return default()\n"
    )
    program = run_gapp("-c", "hooks.py")
    program.line("ssl_context")
    assert program.wait() != 0

"""gunicorn's settings: which of them are whose.

Each setting that gunicorn knows stands in one of the tables below; a test
walks gunicorn's own list. One that a later gunicorn adds is refused unless it
has its default value.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from wsgibench.errors import UsageError
from wsgibench.gunicorn import peers
from wsgibench.native.settings import BY_NAME

MAX_LINE = 1 << 20
MAX_HEAD = 65536
#: What gunicorn takes for 0, or less.
MAX_FIELDS = 32768
FIELD_SIZE = 8190

#: gunicorn's own affair: done before a worker is there, around it, or by the
#: base class of all workers.
GUNICORN = {
    "config", "wsgi_app", "bind", "backlog", "workers", "worker_class",
    "reload", "reload_engine", "reload_extra_files", "spew", "check_config",
    "print_config", "preload_app", "reuse_port", "chdir", "daemon", "raw_env",
    "pidfile", "worker_tmp_dir", "user", "group", "umask", "initgroups",
    "errorlog", "loglevel", "capture_output", "enable_stdio_inheritance",
    "enable_backlog_metric", "proc_name", "default_proc_name", "pythonpath",
    "paste", "raw_paste_global_conf", "on_starting", "on_reload",
    "when_ready", "pre_fork", "post_fork", "post_worker_init", "worker_int",
    "worker_abort", "pre_exec", "child_exit", "worker_exit",
    "nworkers_changed", "on_exit", "dirty_apps", "dirty_workers",
    "dirty_timeout", "dirty_threads", "dirty_graceful_timeout",
    "on_dirty_starting", "dirty_post_fork", "dirty_worker_init",
    "dirty_worker_exit", "control_socket", "control_socket_mode",
    "control_socket_disable",
}  # fmt: skip

#: Read here, in worker.py or in requests.py.
WORKER = {
    "threads", "worker_connections", "max_requests", "max_requests_jitter",
    "timeout", "graceful_timeout", "keepalive", "limit_request_line",
    "limit_request_fields", "limit_request_field_size", "sendfile",
    "tmp_upload_dir", "secure_scheme_headers", "forwarded_allow_ips",
    "accesslog", "access_log_format",
    "disable_redirect_access_to_syslog", "logger_class", "logconfig",
    "logconfig_dict", "logconfig_json", "syslog", "syslog_addr",
    "syslog_prefix", "syslog_facility", "statsd_host", "statsd_prefix",
    "dogstatsd_tags", "pre_request", "post_request", "keyfile", "certfile",
    "cert_reqs", "ca_certs", "ciphers", "proxy_protocol", "proxy_allow_ips",
    "forwarder_headers", "header_map",
}  # fmt: skip

#: Of other kinds of workers and protocols. What would bring those is refused
#: below.
OTHERS = {
    "asgi_loop", "asgi_lifespan", "asgi_disconnect_grace_period",
    "websocket_max_message_size", "root_path", "uwsgi_allow_ips",
    "http2_max_concurrent_streams", "http2_initial_window_size",
    "http2_max_frame_size", "http2_max_header_list_size",
    # The C server always does what these ask for.
    "suppress_ragged_eofs", "do_handshake_on_connect",
}  # fmt: skip


def _is_off(value: Any) -> bool:
    return value in (None, False, "", "off")


def _is(*values: Any) -> Callable[[Any], bool]:
    return lambda value: value in values


def _is_any_tls(value: Any) -> bool:
    """ssl.PROTOCOL_TLS and PROTOCOL_TLS_SERVER; PROTOCOL_SSLv23 is one."""
    try:
        return int(value) in (2, 16, 17)
    except (TypeError, ValueError):  # a name, from the command line
        return False


#: setting -> (is this value served?, what to say otherwise)
LIMITED: dict[str, tuple[Callable[[Any], bool], str]] = {
    "protocol": (_is("http"), "only http is spoken"),
    "http_protocols": (
        lambda value: value in ("h1", ["h1"], ("h1",)),
        "only HTTP/1.1 is spoken",
    ),
    "http2_cleartext": (_is_off, "only HTTP/1.1 is spoken"),
    "http_parser": (_is("auto"), "requests are read by the C server"),
    "ssl_version": (
        _is_any_tls,
        "TLS 1.2 and later are spoken; WSGIBENCH_SETTINGS may say "
        "ssl_protocol_min=tls1.3",
    ),
    "permit_obsolete_folding": (_is_off, "folded lines are refused"),
    "strip_header_spaces": (_is_off, "spaces before a colon are refused"),
    "permit_unconventional_http_method": (
        _is_off,
        "methods are what RFC 9110 says",
    ),
    "permit_unconventional_http_version": (
        _is_off,
        "versions are HTTP/1.0 and HTTP/1.1",
    ),
    "casefold_http_method": (_is_off, "methods are passed on as they are"),
}

#: A hook whose default is to change nothing.
HOOKS = {"ssl_context": "the C server has a TLS context of its own"}


def is_default(cfg: Any, name: str) -> bool:
    setting = cfg.settings[name]
    value, default = setting.get(), setting.default
    if callable(default):
        # A hook is made a static method, or wrapped, on its way.
        return getattr(value, "__code__", value) is default.__code__
    return bool(value == default)


def check(cfg: Any) -> None:
    """UsageError for the first setting that cannot be honoured."""
    known = GUNICORN | WORKER | OTHERS | LIMITED.keys() | HOOKS.keys()
    for name in cfg.settings:
        value = cfg.settings[name].get()
        if name in LIMITED and not LIMITED[name][0](value):
            raise _refusal(name, value, LIMITED[name][1])
        if name in HOOKS and not is_default(cfg, name):
            raise _refusal(name, value, HOOKS[name])
        if name not in known and not is_default(cfg, name):
            raise _refusal(name, value, "it is not known here")
    peers.check(cfg)
    size = cfg.limit_request_field_size
    if size > MAX_HEAD - 2:
        raise _refusal(
            "limit_request_field_size", size, "%d is the most" % (MAX_HEAD - 2)
        )
    if has_proxy_protocol(cfg) and len(peers.balancers_forward(cfg)) > 1:
        raise _refusal(
            "forwarded_allow_ips",
            cfg.forwarded_allow_ips,
            "with proxy_protocol it must have all of proxy_allow_ips in it, "
            "or none",
        )


def has_proxy_protocol(cfg: Any) -> bool:
    return not _is_off(cfg.proxy_protocol)


def _refusal(name: str, value: Any, reason: str) -> UsageError:
    return UsageError(
        "wsgibench.gunicorn.Worker cannot serve with gunicorn's setting "
        "%s = %r: %s." % (name, value, reason)
    )


def from_environment() -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for part in os.environ.get("WSGIBENCH_SETTINGS", "").split():
        name, equals, value = part.partition("=")
        try:
            kind = BY_NAME[name]
            read = str if kind.text else float if kind.seconds else int
            settings[name] = read(value)
        except (KeyError, ValueError) as error:
            raise UsageError(
                "WSGIBENCH_SETTINGS is like 'head_timeout=5 max_head=9000', "
                "not %r." % part
            ) from error
        if not equals:
            raise UsageError("WSGIBENCH_SETTINGS: %s has no value." % name)
    return settings


def for_core(cfg: Any) -> dict[str, Any]:
    """gunicorn's settings as the C server's."""
    fields = cfg.limit_request_fields
    size = cfg.limit_request_field_size
    size = size if size > 0 else FIELD_SIZE
    settings: dict[str, Any] = {
        "backlog": -1,  # it listens already
        # 0: each connection is closed after one answer (requests.py)
        "idle_timeout": cfg.keepalive or None,
        "max_connections": cfg.worker_connections,
        "max_line": cfg.limit_request_line or MAX_LINE,
        "max_fields": fields if 0 < fields < MAX_FIELDS else MAX_FIELDS,
        "max_field": size,
        "max_head": min(MAX_HEAD, MAX_FIELDS * (size + 2) + 4),
        "temp_dir": getattr(cfg, "tmp_upload_dir", None),
    }
    if cfg.is_ssl:
        settings.update(
            certfile=cfg.certfile,
            keyfile=cfg.keyfile,
            ca_certs=cfg.ca_certs if cfg.cert_reqs else None,
            cert_reqs=int(cfg.cert_reqs),
            ciphers=cfg.ciphers,
        )
    settings["underscored_headers"] = _underscored(cfg)
    if has_proxy_protocol(cfg):
        settings.update(_proxy_protocol(cfg))
    settings.update(from_environment())
    return settings


def _underscored(cfg: Any) -> str | None:
    """Fields that requests.py must see; the rest is dropped."""
    if getattr(cfg, "header_map", "drop") != "drop":
        return "*"
    names = [*getattr(cfg, "forwarder_headers", ())]
    names += cfg.secure_scheme_headers
    names = [name for name in names if "_" in name or name == "*"]
    return "*" if "*" in names else ",".join(names) or None


def _proxy_protocol(cfg: Any) -> dict[str, Any]:
    """Both versions are read. Who is in proxy_allow_ips must send a header;
    gunicorn would also serve him without."""
    # "*" trusts the clients of a unix socket, too; gunicorn always does.
    allowed = [*cfg.proxy_allow_ips, "unix"]
    return {"proxy_protocol": 2, "proxy_allow_ips": ",".join(allowed)}

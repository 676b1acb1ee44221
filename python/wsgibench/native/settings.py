"""The server's settings: one place for names, units and help texts.

``Server(...)``, ``serve(...)`` and ``python -m wsgibench serve --...`` take
the same ones. Times are seconds and sizes bytes here; the core counts
milliseconds. ``None`` means the core's default (``wb_config_init``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wsgibench.errors import UsageError
from wsgibench.native import proxies, tls
from wsgibench.native.options import check_text


@dataclass(frozen=True)
class Setting:
    name: str
    core: str  # the wb_config field
    seconds: bool
    help: str
    text: bool = False


SETTINGS = (
    Setting("backlog", "backlog", False, "length of the accept queue"),
    Setting(
        "max_line", "max_line", False, "bytes of a request line (414 above)"
    ),
    Setting(
        "max_head", "max_head", False, "bytes of a header block (431 above)"
    ),
    Setting("max_fields", "max_fields", False, "header fields (431 above)"),
    Setting(
        "max_field",
        "max_field",
        False,
        "bytes of one header field's line (431 above; 0: max_head's only)",
    ),
    Setting(
        "max_body", "max_body", False, "bytes of a body (413 above; 0: any)"
    ),
    Setting(
        "body_memory",
        "body_memory",
        False,
        "bytes of a body kept in memory; more goes to a temporary file",
    ),
    Setting(
        "body_memory_all",
        "body_memory_all",
        False,
        "the same for all requests together",
    ),
    Setting(
        "write_high",
        "write_high",
        False,
        "unsent bytes at which an application is paused",
    ),
    Setting(
        "max_connections",
        "max_connections",
        False,
        "connections at which accepting pauses (0: no limit)",
    ),
    Setting(
        "accept_batch",
        "accept_batch",
        False,
        "connections accepted in one turn (1 when workers share a socket)",
    ),
    Setting(
        "head_timeout",
        "head_timeout",
        True,
        "seconds for a whole request head (408; 0: off)",
    ),
    Setting(
        "body_timeout",
        "body_timeout",
        True,
        "seconds in which body_quantum bytes must come (408; 0: off)",
    ),
    Setting("body_quantum", "body_quantum", False, "see body_timeout"),
    Setting(
        "idle_timeout",
        "idle_timeout",
        True,
        "seconds a connection may rest before and between requests (0: off)",
    ),
    Setting(
        "write_timeout",
        "write_timeout",
        True,
        "seconds without a byte taken by the client (0: off)",
    ),
    Setting(
        "stream_body",
        "stream_body",
        False,
        "1: call the application before the body is complete",
    ),
    Setting(
        "measure",
        "measure",
        False,
        "1: read clocks for metrics() (--metrics and statsd do it)",
    ),
    Setting(
        "defer_accept",
        "defer_accept",
        False,
        "1: accept when the first bytes are there (TCP_DEFER_ACCEPT)",
    ),
    Setting(
        "server_header",
        "server_name",
        False,
        "the Server field of answers; none: none",
        True,
    ),
    Setting("temp_dir", "temp_dir", False, "where large bodies wait", True),
    Setting(
        "forwarded_allow_ips",
        "forwarded_allow",
        False,
        "proxies whose X-Forwarded-For, -Proto, -Host and Forwarded count: "
        "addresses, networks, unix, * (default: nobody)",
        True,
    ),
    Setting(
        "forwarded_headers",
        "forwarded_headers",
        False,
        "which of them the proxies set: x-forwarded-for,x-forwarded-proto,"
        "x-forwarded-host,forwarded (default: all)",
        True,
    ),
    Setting(
        "proxy_protocol",
        "proxy_protocol",
        False,
        "1: connections begin with a PROXY header (v1 or v2), others are "
        "closed; 2: those from proxy_allow_ips do",
    ),
    Setting(
        "proxy_allow_ips",
        "proxy_allow",
        False,
        "who may send a PROXY header: addresses, networks, unix, * "
        "(default: this machine)",
        True,
    ),
    Setting(
        "underscored_headers",
        "underscored",
        False,
        "header fields with _ in their names, or *, that are not dropped; "
        "X_User is HTTP_X/USER in environ, which X-User cannot be",
        True,
    ),
    Setting(
        "root_path",
        "root_path",
        False,
        "where the application is mounted: SCRIPT_NAME, cut off the path",
        True,
    ),
    Setting(
        "certfile",
        "tls_cert",
        False,
        "PEM file of the certificate and its chain: serve HTTPS",
        True,
    ),
    Setting(
        "keyfile",
        "tls_key",
        False,
        "PEM file of its key, if that is not in certfile",
        True,
    ),
    Setting(
        "keyfile_password",
        "tls_password",
        False,
        "password of the key; better give the process a key without one",
        True,
    ),
    Setting(
        "ca_certs",
        "tls_ca",
        False,
        "PEM file of those who may sign client certificates",
        True,
    ),
    Setting(
        "cert_reqs",
        "tls_verify",
        False,
        "client certificates: 0 not asked for, 1 valid if given, 2 required",
    ),
    Setting(
        "ciphers",
        "tls_ciphers",
        False,
        "as openssl-ciphers(1); names of TLS 1.3 (TLS_AES_...), too",
        True,
    ),
    Setting(
        "ssl_protocol_min",
        "tls_min_version",
        False,
        "tls1.2 (the default) or tls1.3",
        True,
    ),
    Setting(
        "sni_certs",
        "tls_hosts",
        False,
        "certificates by the host that the client names: "
        "HOST=CERT[,KEY][;HOST=CERT[,KEY]]; a HOST may be *.example.org",
        True,
    ),
)

#: The core sends so much of server_header (response_head.c).
MAX_SERVER = 64


def _server_header(name: str) -> str:
    size = len(name.encode())
    if size > MAX_SERVER or any(ord(c) < 32 or ord(c) == 127 for c in name):
        raise UsageError(
            "server_header is at most %d printable bytes, not %r."
            % (MAX_SERVER, name if len(name) < 100 else name[:96] + " ...")
        )
    return "" if name == "none" else name


#: What the core wants in another form, or says too little about.
CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "sni_certs": tls.host_lines,
    "forwarded_allow_ips": proxies.addresses("forwarded_allow_ips"),
    "forwarded_headers": proxies.headers,
    "proxy_protocol": proxies.mode,
    "proxy_allow_ips": proxies.addresses("proxy_allow_ips"),
    "underscored_headers": proxies.underscored,
    "root_path": proxies.root_path,
    "server_header": _server_header,
}

UINT32 = 4294967295
#: The smallest numbers, where they are not 0.
LEAST = {"accept_batch": 1}
#: The largest numbers, where they are not the type's.
MOST = {
    "backlog": 2147483647,
    "max_head": 65536,
    "max_line": 1 << 20,
    "max_body": 1 << 63,
    "body_memory_all": 1 << 63,
    "stream_body": 1,
    "measure": 1,
    "defer_accept": 1,
    "cert_reqs": 2,
}

BY_NAME = {setting.name: setting for setting in SETTINGS}


def check_texts(settings: dict[str, Any]) -> None:
    """UsageError for texts that the core, or the files' system, cannot
    take."""
    for name, value in settings.items():
        setting = BY_NAME.get(name)
        if setting is None or not setting.text or value is None:
            continue
        if not isinstance(value, str):
            raise UsageError("%s is a text, not %r." % (name, value))
        check_text(name, value)
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise UsageError(
                "%s must be UTF-8, unlike %r." % (name, value)
            ) from error


def to_core(settings: dict[str, Any]) -> dict[str, Any]:
    """The given settings under the core's names and in its units."""
    core: dict[str, Any] = {}
    check_texts(settings)
    for name, value in settings.items():
        setting = BY_NAME.get(name)
        if setting is None:
            raise UsageError(
                "there is no setting %r; there are: %s."
                % (name, ", ".join(sorted(BY_NAME)))
            )
        if value is None:
            continue
        if setting.seconds:
            if not 0 <= value <= 4_000_000:
                raise UsageError(
                    "%s is a number of seconds, not %r." % (name, value)
                )
            value = round(value * 1000)
        elif not setting.text and name not in CONVERTERS:
            most = MOST.get(name, UINT32)
            least = LEAST.get(name, 0)
            is_off = (name, value) == ("backlog", -1)
            if not (least <= value <= most or is_off):
                raise UsageError(
                    "%s is %d to %d, not %r." % (name, least, most, value)
                )
        if name in CONVERTERS:
            value = CONVERTERS[name](value)
        core[setting.core] = value
    return core

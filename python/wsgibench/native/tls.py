"""HTTPS: what is asked of certificates before the core takes them.

The core only knows that something is wrong with them; this tells what.
"""

from __future__ import annotations

from typing import Any

from wsgibench.errors import UsageError

#: Of no use without certfile.
DEPENDENT = (
    "keyfile",
    "keyfile_password",
    "ca_certs",
    "cert_reqs",
    "ciphers",
    "ssl_protocol_min",
    "sni_certs",
)
VERSIONS = ("tls1.2", "tls1.3")
SNI = "sni_certs is like 'a.example=a.pem;*.b.example=b.pem,b.key', not %r."


def hosts(text: str) -> list[tuple[str, str, str | None]]:
    """(host, certificate, key or None) of each entry of ``sni_certs``."""
    found = []
    for entry in text.split(";"):
        host, equals, files = entry.strip().partition("=")
        cert, comma, key = files.partition(",")
        wrong = not host or not cert or bool(comma) != bool(key)
        if wrong or any(c in entry for c in "\t\n\0"):
            raise UsageError(SNI % text)
        found.append((host, cert, key or None))
    return found


def host_lines(text: str) -> str:
    """As wb_config.tls_hosts wants them."""
    return "\n".join(
        "\t".join(part for part in entry if part is not None)
        for entry in hosts(text)
    )


def check(settings: dict[str, Any]) -> bool:
    """Whether ``settings`` ask for TLS; UsageError names what is wrong."""
    cert = settings.get("certfile")
    if cert is None:
        for name in DEPENDENT:
            if settings.get(name):
                raise UsageError("%s is of no use without certfile." % name)
        return False
    _check_options(settings)
    try:
        import ssl
    except ImportError:  # a Python without OpenSSL: the core will tell
        return True
    password = settings.get("keyfile_password") or ""
    pairs = [(cert, settings.get("keyfile"))]
    if settings.get("sni_certs"):
        pairs += [(c, key) for _, c, key in hosts(settings["sni_certs"])]
    for cert, key in pairs:
        for file in (cert, key):
            _check_readable(file, "for TLS")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        asked: list[bool] = []

        def give(asked: list[bool] = asked) -> str:
            asked.append(True)
            return str(password)

        try:
            # Without a password it would ask at the terminal.
            context.load_cert_chain(cert, key, password=give)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            files = cert if key is None else "%s and %s" % (cert, key)
            reason = getattr(error, "strerror", None) or error
            if asked:
                reason = "keyfile_password does not open the encrypted key"
            raise UsageError(
                "cannot use %s for TLS: %s." % (files, reason)
            ) from error
    _check_files(settings, context)
    return True


def _check_readable(file: str | None, what: str) -> None:
    """PyPy's ssl does not say why it cannot be read."""
    try:
        if file is not None:
            with open(file, "rb"):
                pass
    except OSError as error:
        raise UsageError(
            "cannot use %s %s: %s." % (file, what, error.strerror)
        ) from error


def _check_options(settings: dict[str, Any]) -> None:
    reqs = settings.get("cert_reqs")
    if reqs is not None and reqs not in (0, 1, 2):
        raise UsageError(
            "cert_reqs is 0 (no client certificates), 1 (optional) or 2 "
            "(required), not %r." % (reqs,)
        )
    if reqs and not settings.get("ca_certs"):
        raise UsageError(
            "cert_reqs needs ca_certs: whose client certificates are good?"
        )
    if settings.get("ca_certs") and not reqs:
        raise UsageError(
            "ca_certs is of no use unless cert_reqs is 1 (optional) or 2 "
            "(required)."
        )
    version = settings.get("ssl_protocol_min")
    if version is not None and version not in VERSIONS:
        raise UsageError(
            "ssl_protocol_min is one of %s, not %r."
            % (", ".join(VERSIONS), version)
        )


def _check_files(settings: dict[str, Any], context: Any) -> None:
    ca = settings.get("ca_certs")
    _check_readable(ca, "as ca_certs")
    try:
        if ca:
            context.load_verify_locations(ca)
    except OSError as error:
        raise UsageError(
            "cannot use %s as ca_certs: %s." % (ca, error.strerror or error)
        ) from error
    names = (settings.get("ciphers") or "").replace(",", ":").split(":")
    older = ":".join(name for name in names if name[:4] != "TLS_")
    try:
        if older:
            context.set_ciphers(older)
    except OSError as error:
        raise UsageError(
            "ciphers: OpenSSL knows none of %r." % older
        ) from error

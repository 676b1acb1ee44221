"""HTTPS: what is asked of a certificate before the core takes it."""

from __future__ import annotations

from typing import Any

from wsgibench.errors import UsageError


def check(settings: dict[str, Any]) -> bool:
    """Whether ``settings`` ask for TLS.

    UsageError tells what is wrong with the files: the core only knows that
    something is.
    """
    cert, key = settings.get("certfile"), settings.get("keyfile")
    if cert is None:
        if key is not None:
            raise UsageError("keyfile is of no use without certfile.")
        return False
    try:
        import ssl
    except ImportError:  # a Python without OpenSSL: the core will tell
        return True
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
            cert, key
        )
    except OSError as error:  # ssl.SSLError is one
        files = cert if key is None else "%s and %s" % (cert, key)
        raise UsageError(
            "cannot use %s for TLS: %s." % (files, error.strerror or error)
        ) from error
    return True

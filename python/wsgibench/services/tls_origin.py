"""A web server with HTTPS (nginx), and an authority of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from wsgibench.errors import WsgibenchError
from wsgibench.services import _nginx
from wsgibench.services._process import (
    ProcessService,
    free_port,
    program,
)
from wsgibench.services._process import missing as missing_program

HELP = "a web server with HTTPS and its own authority (nginx, openssl)"
PACKAGES = ("nginx", "openssl")

EXTENSIONS = """\
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[server]
subjectAltName = IP:127.0.0.1
basicConstraints = CA:FALSE
extendedKeyUsage = serverAuth
authorityKeyIdentifier = keyid
"""


def missing() -> str:
    found = program("openssl")
    return _nginx.missing_nginx() or missing_program(
        "openssl", PACKAGES, found
    )


def _openssl(folder: Path, *arguments: str) -> None:
    done = subprocess.run(
        [program("openssl"), *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode != 0:
        words = done.stdout.decode(errors="replace").strip().splitlines()
        raise WsgibenchError(
            "openssl %s failed: %s" % (arguments[0], (words or ["?"])[-1])
        )


def _certificates(folder: Path) -> None:
    """ca.pem, and server.pem signed by it, with keys on P-256."""
    (folder / "extensions").write_text(EXTENSIONS)
    for name, subject in (("ca", "wsgibench CA"), ("server", "127.0.0.1")):
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        key += ["-nodes", "-keyout", name + ".key", "-out", name + ".csr"]
        _openssl(folder, "req", "-new", *key, "-subj", "/CN=" + subject)
    common = ["-days", "7", "-extfile", "extensions", "-sha256"]
    signed = ["-in", "ca.csr", "-signkey", "ca.key", "-out", "ca.pem"]
    _openssl(folder, "x509", "-req", *signed, *common, "-extensions", "ca")
    signed = ["-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key"]
    signed += ["-CAcreateserial", "-out", "server.pem"]
    _openssl(folder, "x509", "-req", *signed, *common, "-extensions", "server")


def start(folder: Path, needed: dict[str, Any]) -> ProcessService:
    _certificates(folder)
    return _nginx.start(
        "tls-origin",
        folder,
        "127.0.0.1",
        free_port(),
        certificate=(folder / "server.pem", folder / "server.key"),
        ca=folder / "ca.pem",
    )

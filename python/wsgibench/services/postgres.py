"""PostgreSQL with a table of people, in a cluster of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

from wsgibench.errors import WsgibenchError
from wsgibench.services import _content
from wsgibench.services._process import ProcessService, free_port, program
from wsgibench.services._process import missing as missing_program

HELP = "PostgreSQL with a table of people"
PACKAGES = ("postgresql",)

TABLE = """\
CREATE TABLE people (id integer PRIMARY KEY, name text, town integer);
INSERT INTO people SELECT n, 'person ' || n, n %% %d
    FROM generate_series(0, %d) AS n;
CREATE INDEX people_town ON people (town);
ANALYZE people;
"""


def _program(name: str) -> str:
    """Debian keeps them by version; the newest."""
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda path: (
            int(path.parent.name) if path.parent.name.isdigit() else 0
        ),
        reverse=True,
    )
    return program(name, [str(folder) for folder in folders])


def missing() -> str:
    for name in ("initdb", "postgres", "psql"):
        reason = missing_program(name, PACKAGES, _program(name))
        if reason:
            return reason
    return ""


def _user() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise WsgibenchError("PostgreSQL needs a user other than root.")


def _run(what: str, command: list[str], **options: Any) -> None:
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options
    )
    if done.returncode != 0:
        words = done.stdout.decode(errors="replace").strip().splitlines()
        raise WsgibenchError("%s failed: %s" % (what, (words or ["?"])[-1]))


def _check(port: int) -> str:
    """It speaks its protocol: an SSLRequest is answered by N (no TLS)."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
            s.sendall(b"\0\0\0\x08\x04\xd2\x16\x2f")
            return "" if s.recv(1) == b"N" else "a wrong answer"
    except OSError as error:
        return str(error)


def start(folder: Path, needed: dict[str, Any]) -> ProcessService:
    user = _user()
    data = folder / "data"
    data.mkdir()
    if user is not None:
        shutil.chown(data, user)
        folder.chmod(0o755)
    options: dict[str, Any] = {"user": user, "cwd": data}
    initdb = [_program("initdb"), "-D", str(data), "-U", "wsgibench"]
    initdb += ["--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"]
    _run("initdb", initdb, **options)
    port = free_port()
    command = [_program("postgres"), "-D", str(data), "-p", str(port)]
    command += ["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
    command += ["-c", "unix_socket_directories=", "-c", "max_connections=300"]
    settings = {
        "host": "127.0.0.1",
        "port": port,
        "user": "wsgibench",
        "database": "postgres",
    }
    service = ProcessService(
        "postgres",
        command,
        folder,
        settings,
        lambda: _check(port),
        user=user,
        stop_signal=signal.SIGINT,  # fast shutdown
    )
    psql = [_program("psql"), "-h", "127.0.0.1", "-p", str(port)]
    psql += ["-U", "wsgibench", "-v", "ON_ERROR_STOP=1", "-q", "postgres"]
    table = TABLE % (_content.TOWNS, _content.PEOPLE - 1)
    try:
        _run("filling the table", psql, input=table.encode())
    except WsgibenchError:
        service.stop()
        raise
    return service

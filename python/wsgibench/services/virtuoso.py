"""Virtuoso, a triple store, with a thousand people in it."""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.parse
from pathlib import Path
from typing import Any

from wsgibench.errors import WsgibenchError
from wsgibench.services import _content, _nginx
from wsgibench.services._process import ProcessService, free_port, program
from wsgibench.services._process import missing as missing_program

HELP = "Virtuoso, a triple store, with a thousand people"
PACKAGES = ("virtuoso-opensource-7",)

CONFIGURATION = """\
[Database]
DatabaseFile = %(folder)s/virtuoso.db
ErrorLogFile = %(folder)s/virtuoso.log
LockFile = %(folder)s/virtuoso.lck
TransactionFile = %(folder)s/virtuoso.trx
xa_persistent_file = %(folder)s/virtuoso.pxa
FileExtend = 200
MaxCheckpointRemap = 2000
[TempDatabase]
DatabaseFile = %(folder)s/temp.db
TransactionFile = %(folder)s/temp.trx
MaxCheckpointRemap = 2000
[Parameters]
ServerPort = 127.0.0.1:%(sql)d
LiteMode = 0
DisableUnixSocket = 1
ServerThreads = 100
CheckpointInterval = 0
NumberOfBuffers = 10000
MaxDirtyBuffers = 6000
DirsAllowed = %(folder)s
SchedulerInterval = 0
[HTTPServer]
ServerPort = 127.0.0.1:%(http)d
ServerThreads = 64
MaxClientConnections = 256
MaxKeepAlives = 256
KeepAliveTimeout = 60
[SPARQL]
ResultSetMaxRows = 10000
MaxQueryExecutionTime = 30
"""


def missing() -> str:
    for name in ("virtuoso-t", "isql-vt"):
        reason = missing_program(name, PACKAGES, program(name))
        if reason:
            return reason
    return ""


def _check(port: int, number: int | None) -> str:
    """It answers; with `number`, with the name of that person."""
    query = "ASK {}"
    if number is not None:
        query = (
            "SELECT ?name WHERE { <http://wsgibench.test/person/%d> "
            "<http://wsgibench.test/name> ?name }" % number
        )
    asked = {"query": query, "format": "application/sparql-results+json"}
    url = "http://127.0.0.1:%d/sparql?" % port
    try:
        answer = json.loads(_nginx.fetch(url + urllib.parse.urlencode(asked)))
        if number is None:
            return ""
        rows = answer["results"]["bindings"]
        right = rows[0]["name"]["value"] == _content.name(number)
    except (OSError, urllib.error.URLError, ValueError, LookupError) as error:
        return str(error) or type(error).__name__
    return "" if right else "a wrong name"


def _fill(folder: Path, sql: int) -> None:
    (folder / "people.ttl").write_text(_content.triples())
    load = "DB.DBA.TTLP (file_to_string_output ('%s/people.ttl'), '', '%s');"
    statement = load % (folder, "http://wsgibench.test/")
    done = subprocess.run(
        [program("isql-vt"), "127.0.0.1:%d" % sql, "dba", "dba"],
        input=(statement + "\ncheckpoint;\n").encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    words = done.stdout.decode(errors="replace")
    if done.returncode != 0 or "*** Error" in words:
        lines = [line for line in words.splitlines() if line.strip()]
        raise WsgibenchError("loading the triples failed: %s" % lines[-3:])


def start(folder: Path, needed: dict[str, Any]) -> ProcessService:
    sql, http = free_port(), free_port()
    configuration = folder / "virtuoso.ini"
    configuration.write_text(
        CONFIGURATION % {"folder": folder, "sql": sql, "http": http}
    )
    command = [program("virtuoso-t"), "+foreground"]
    filled: list[int] = []
    service = ProcessService(
        "virtuoso",
        [*command, "+configfile", str(configuration)],
        folder,
        {"host": "127.0.0.1", "port": http, "path": "/sparql"},
        lambda: _check(http, 7 if filled else None),
    )
    try:
        _fill(folder, sql)
        filled.append(1)
        wrong = service.problem()
        if wrong:
            raise WsgibenchError("virtuoso " + wrong)
    except WsgibenchError:
        service.stop()
        raise
    return service

"""The error log, and what is told there."""

from __future__ import annotations

import contextlib
import signal
from pathlib import Path

import pytest

from tests.native.process import (
    until,
)
from tests.native.serving import (
    Run,
    ask_unix,
    status_of,
)


def test_error_log_and_level(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "errors"
    program = run(
        "an_app", "--port=0", "--error-log=%s" % log, "--log-level=info"
    )
    until(lambda: log.exists() and "serving on" in log.read_text(), "no line")
    port = int(log.read_text().split(" (")[0].rpartition(":")[2])
    assert status_of(port, "/raise") == 500
    until(lambda: "from the application" in log.read_text(), "no error")
    log.rename(tmp_path / "errors.1")
    program.process.send_signal(signal.SIGUSR1)
    until(log.exists, "it was not opened again")

    def is_told() -> bool:  # by the worker, once it has opened it, too
        assert status_of(port, "/raise") == 500
        return "from the application" in log.read_text()

    until(is_told, "no error")
    assert program.stop() == 0
    assert program.text == ""
    quiet = run("an_app", "--port=0", "--bind=unix:s", "--log-level=error")

    def listens() -> bool:
        with contextlib.suppress(OSError):
            return ask_unix(str(tmp_path / "s")).endswith(b" one")
        return False

    until(listens, "it does not listen")
    assert quiet.stop() == 0
    assert quiet.text == ""


def test_output_is_captured(run: Run, tmp_path: Path) -> None:
    """Of Python and of descriptors; after a rotation, too."""
    (tmp_path / "prints.py").write_text(
        "import os\n"
        "def application(environ, start_response):\n"
        "    print('printed', environ['PATH_INFO'])\n"
        "    os.write(2, b'written\\n')\n"
        "    start_response('200 OK', [('Content-Length', '0')])\n"
        "    return []\n"
    )
    log = tmp_path / "errors"
    program = run(
        *("prints", "--port=0", "--error-log=%s" % log, "--capture-output")
    )
    until(lambda: log.exists() and "serving on" in log.read_text(), "no line")
    port = int(log.read_text().split(" (")[0].rpartition(":")[2])
    assert status_of(port, "/a") == 200
    assert "printed /a\nwritten\n" in log.read_text()
    log.rename(tmp_path / "errors.1")
    program.process.send_signal(signal.SIGUSR1)

    def is_told() -> bool:  # by the worker, once it has opened it, too
        assert status_of(port, "/b") == 200
        return log.exists() and "printed /b\nwritten\n" in log.read_text()

    until(is_told, "the old file is written")
    assert program.stop() == 0
    assert program.text == ""


REFUSING = """
def application(environ, start_response):
    fields = [("Content-Type", "text/plain")]
    status = "200 OK"
    if environ["PATH_INFO"] == "/value":
        fields.append(("X-Bad", "a\\nb"))
    elif environ["PATH_INFO"] == "/name":
        fields.append(("X Bad", "a"))
    elif environ["PATH_INFO"] == "/hop":
        fields.append(("Transfer-Encoding", "chunked"))
    elif environ["PATH_INFO"] == "/twice":
        fields += [("Content-Length", "1"), ("Content-Length", "1")]
    else:
        status = "2000 OK"
    start_response(status, fields)
    return [b"a", b"b"] if environ["QUERY_STRING"] else [b"a"]
"""


def test_what_an_application_does_wrong_is_named(
    run: Run, tmp_path: Path
) -> None:
    """The request, the exception, the header that cannot be sent."""
    (tmp_path / "refusing.py").write_text(REFUSING)
    program = run("refusing", "--port=0")
    port = program.port()
    for path, words in (
        ("/value", "header 'X-Bad' cannot"),
        ("/name", "header 'X Bad' cannot"),
        ("/hop", "header 'Transfer-Encoding' cannot"),
        ("/twice", "cannot be sent together"),
        ("/status", "status '2000 OK' cannot"),
    ):
        for query in ("", "?two"):
            seen = len(program.lines)
            assert status_of(port, path + query) == 500
            line = program.line("GET %s failed: ValueError" % (path + query))
            assert "[ERROR]" in line
            program.line(words, after=seen)
    assert program.stop() == 0


@pytest.mark.parametrize("kind", ["ini", "json"])
def test_log_config(run: Run, tmp_path: Path, kind: str) -> None:
    if kind == "json":
        text = (
            '{"version": 1, "formatters": {"f": {"format": "OURS %(message)s"'
            '}}, "handlers": {"h": {"class": "logging.StreamHandler", '
            '"formatter": "f"}}, "loggers": {"wsgibench": {"handlers": ["h"],'
            ' "level": "INFO"}}}'
        )
    else:
        text = (
            "[loggers]\nkeys=root\n[handlers]\nkeys=h\n[formatters]\nkeys=f\n"
            "[logger_root]\nhandlers=h\nlevel=INFO\n"
            "[handler_h]\nclass=StreamHandler\nformatter=f\nargs=()\n"
            "[formatter_f]\nformat=OURS %(message)s\n"
        )
    path = tmp_path / ("log." + kind)
    path.write_text(text)
    program = run("an_app", "--port=0", "--log-config=%s" % path)
    assert program.line("serving on").startswith("OURS ")
    assert program.stop() == 0

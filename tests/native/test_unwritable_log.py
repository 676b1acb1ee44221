"""`serve` whose standard streams cannot be written."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.native.process import (
    children,
    get,
    serve_command,
    until,
)
from tests.native.serving import (
    APP,
    worker_of,
)


def test_stderr_is_closed_by_its_reader(binding: str, tmp_path: Path) -> None:
    (tmp_path / "an_app.py").write_text(APP)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        fd = listener.fileno()
        process = subprocess.Popen(
            serve_command("an_app", "--workers=2", "--bind=fd://%d" % fd),
            cwd=tmp_path,
            env=dict(os.environ, WSGIBENCH_BACKEND=binding),
            stderr=subprocess.PIPE,
            pass_fds=(fd,),
            start_new_session=True,
        )
        try:
            assert process.stderr is not None
            assert b"serving on" in process.stderr.readline()
            process.stderr.close()
            outlives_its_workers(process.pid, listener.getsockname()[1])
            process.terminate()
            assert process.wait(20) == 0
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def until_another_came(pid: int, before: set[int]) -> None:
    until(
        lambda: len(children(pid)) == 2 and children(pid) != before,
        "it was not replaced",
    )


def outlives_its_workers(pid: int, port: int) -> None:
    for _ in range(3):
        before = children(pid)
        os.kill(worker_of(port), signal.SIGKILL)
        until_another_came(pid, before)
        get(port, "/raise")  # the worker has something to say, too
    assert get(port).endswith(b" one")


@pytest.mark.parametrize("full", ["pipe", "/dev/full"])
def test_stderr_is_full(binding: str, tmp_path: Path, full: str) -> None:
    """A disk that is, and a pipe that nobody reads."""
    (tmp_path / "an_app.py").write_text(APP)
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        if full == "pipe":
            reader, writer = os.pipe()
            stack.callback(os.close, reader)
            os.set_blocking(writer, False)
            with contextlib.suppress(BlockingIOError):
                while os.write(writer, b"x" * 4096):
                    pass
            os.set_blocking(writer, True)
        else:
            writer = os.open(full, os.O_WRONLY)
        stack.callback(os.close, writer)
        fd = listener.fileno()
        process = subprocess.Popen(
            serve_command("an_app", "--workers=2", "--bind=fd://%d" % fd),
            cwd=tmp_path,
            env=dict(os.environ, WSGIBENCH_BACKEND=binding),
            stderr=writer,
            pass_fds=(fd,),
            start_new_session=True,
        )
        stack.callback(process.wait)
        stack.callback(process.kill)
        outlives_its_workers(process.pid, listener.getsockname()[1])
        process.terminate()
        assert process.wait(20) == 0


@pytest.mark.parametrize("closing", ["0<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_standard_stream(
    binding: str, tmp_path: Path, closing: str
) -> None:
    """Its descriptor is nobody else's, then."""
    (tmp_path / "an_app.py").write_text(APP)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        fd = listener.fileno()
        command = " ".join(
            serve_command("an_app", "--bind=fd://%d" % fd, "--access-log=-")
        )
        process = subprocess.Popen(
            ["/bin/sh", "-c", "exec %s %s" % (command, closing)],
            cwd=tmp_path,
            env=dict(os.environ, WSGIBENCH_BACKEND=binding),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(fd,),
            start_new_session=True,
        )
        try:
            port = listener.getsockname()[1]
            for _ in range(3):
                assert get(port).endswith(b" one")
                assert b"500" in get(port, "/raise")
            process.terminate()
            out, errors = process.communicate(timeout=60)
            assert process.returncode == 0, errors
            assert b"AttributeError" not in errors
            assert (b"GET / HTTP" in out) == (" >&-" not in " " + closing)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

"""`serve` and gunicorn with our worker, as processes in a folder of their
own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.native.process import (
    Program,
    gunicorn_command,
    programs,
    serve_command,
)
from tests.native.serving import APP, Run


@pytest.fixture
def run(binding: str, tmp_path: Path) -> Iterator[Run]:
    """run(*arguments): `serve` with these; `command=` instead of it."""
    (tmp_path / "an_app.py").write_text(APP)
    with programs() as start:

        def serve(
            *arguments: str,
            command: list[str] | None = None,
            environment: dict[str, str] | None = None,
            **more: object,
        ) -> Program:
            return start(
                command or serve_command(*arguments),
                {
                    "WSGIBENCH_BACKEND": binding,
                    "PYTHONDONTWRITEBYTECODE": "1",
                    **(environment or {}),
                },
                tmp_path,
                **more,
            )

        yield serve


@pytest.fixture
def run_app(run: Run) -> Run:
    """run_app(*arguments): `serve an_app` on a free port."""

    def serve(*arguments: str, app: str = "an_app", **more: object) -> Program:
        return run(app, "--port=0", *arguments, **more)

    return serve


@pytest.fixture
def gunicorn(binding: str, tmp_path: Path) -> Iterator[Run]:
    """gunicorn(*arguments), with the application among them."""
    with programs() as start:

        def run(
            *arguments: str,
            folder: Path = tmp_path,
            address: str = "127.0.0.1:0",
            **environment: str,
        ) -> Program:
            command = [*gunicorn_command(address), *arguments]
            # Nobody reads the pipe of standard output, where --spew writes.
            return start(
                ["sh", "-c", 'exec "$@" >&2', "sh", *command],
                {"WSGIBENCH_BACKEND": binding, **environment},
                folder,
            )

        yield run


@pytest.fixture
def run_gapp(gunicorn: Run, tmp_path: Path) -> Run:
    """run_gapp(*arguments): gunicorn with the application of
    gunicorn_app.py."""
    from tests.native import gunicorn_app

    (tmp_path / "gapp.py").write_text(gunicorn_app.APP)

    def start(*arguments: str, **environment: str) -> Program:
        return gunicorn(*arguments, "gapp:app", **environment)

    return start

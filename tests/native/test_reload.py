"""--reload."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.native.process import (
    get,
    refused,
    until,
)
from tests.native.serving import (
    Run,
    change,
)


def test_reload_after_an_error_in_what_is_imported(
    run: Run, tmp_path: Path
) -> None:
    """At the start, and later; by an edit, and by a file that was missing."""
    (tmp_path / "views.py").write_text("1 / 0\n")
    (tmp_path / "main.py").write_text(
        "import views\nfrom an_app import application\n"
    )
    program = run("main", "--port=0", "--reload")
    program.line("Waiting for a change")
    change(tmp_path / "views.py", "1 / 0", "import models")
    program.line("No module named 'models'")
    (tmp_path / "models.py").write_text("\n")
    port = program.port()
    assert get(port).endswith(b" one")
    seen = len(program.lines)
    change(tmp_path / "models.py", "\n", "def\n")
    program.line("Waiting for a change", after=seen)
    change(tmp_path / "models.py", "def\n", "")
    assert get(port).endswith(b" one")
    assert program.stop() == 0, program.text


def test_reload_ends_with_its_parent(run: Run) -> None:
    program = run("an_app", "--port=0", "--reload")
    port = program.port()
    assert get(port).endswith(b" one")
    os.kill(program.pid, signal.SIGKILL)
    program.wait()
    until(lambda: refused(port), "the child lives on")

"""What `completion` prints is taken by the shell, and by man's roff."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "wsgibench", "completion"]


def printed(kind: str) -> str:
    return subprocess.run(
        [*COMMAND, kind], capture_output=True, text=True, check=True
    ).stdout


def test_bash_completes_an_option(tmp_path: Path) -> None:
    script = tmp_path / "completion.bash"
    script.write_text(printed("bash"))
    asked = """
    source %s
    COMP_WORDS=(wsgibench run --conn) COMP_CWORD=2
    _shtab_wsgibench wsgibench --conn run
    printf '%%s\\n' "${COMPREPLY[@]}"
    """
    done = subprocess.run(
        ["bash", "-c", asked % script], capture_output=True, text=True
    )
    assert "--connections" in done.stdout.split(), done.stderr


@pytest.mark.parametrize("shell", ["zsh", "tcsh"])
def test_others_print(shell: str) -> None:
    assert "capacity" in printed(shell)


def test_the_manual_page_is_roff() -> None:
    page = printed("man")
    assert page.startswith(".TH WSGIBENCH")
    if shutil.which("groff"):
        done = subprocess.run(
            ["groff", "-man", "-Tascii", "-ww"],
            input=page.encode(),
            capture_output=True,
        )
        assert done.returncode == 0
        assert b"capacity" in done.stdout


def test_usage_names_the_command_that_was_called() -> None:
    command = Path(sys.executable).parent / "wsgibench"
    for words, name in (
        ([str(command)], "wsgibench"),
        ([sys.executable, "-m", "wsgibench"], "python -m wsgibench"),
    ):
        done = subprocess.run([*words, "--help"], capture_output=True)
        assert done.stdout.startswith(b"usage: %s [" % name.encode())

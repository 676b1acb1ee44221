"""The stubs of the C API binding say what the extension has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PYTHON = Path(__file__).resolve().parents[2] / "python"
#: Types that an application meets (PEP 3333) and nobody imports.
UNNAMED = ("FileWrapper", "Input", "StartResponse", "Write")


def test_they_agree(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    pytest.importorskip("wsgibench.native._capi")
    allowed = tmp_path / "allowed"
    allowed.write_text(
        "".join("wsgibench.native._capi.%s\n" % name for name in UNNAMED)
    )
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy.stubtest"),
            *("--allowlist", str(allowed), "--concise"),
            "wsgibench.native._capi",
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(PYTHON)},
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr

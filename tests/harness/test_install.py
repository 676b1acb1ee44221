"""Why an installation failed, in a sentence."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

from wsgibench.errors import WsgibenchError
from wsgibench.harness import environments, install, interpreters

LOG = Path("all.log")

COMPILER = """\
  error: subprocess-exited-with-error
  × python setup.py bdist_wheel did not run successfully.
      src/thing.c:5:10: fatal error: ev.h: No such file or directory
      error: command '/usr/bin/gcc' failed with exit code 1
error: metadata-generation-failed
"""
BUILD = """\
  error: subprocess-exited-with-error

  × Getting requirements to build wheel did not run successfully.
  │ exit code: 1
  ╰─> [8 lines of output]

      wsgibench cannot build its server: the C compiler 'cc' does not work.

        it compiles no program at all

      [end of output]

  note: This error originates from a subprocess, and is likely not a problem with pip.
error: subprocess-exited-with-error

× Getting requirements to build wheel did not run successfully.
│ exit code: 1
╰─> See above for output.

note: This error originates from a subprocess, and is likely not a problem with pip.
"""  # noqa: E501
RAISED = """\
  × Getting requirements to build wheel did not run successfully.
  ╰─> [5 lines of output]
      Traceback (most recent call last):
        File "setup.py", line 3, in <module>
          import nothing
      ModuleNotFoundError: No module named 'nothing'
      [end of output]
  note: This error originates from a subprocess, and is likely not a problem with pip.
"""  # noqa: E501
NETWORK = """\
WARNING: Retrying (Retry(total=4)): NewConnectionError('<...>: Failed to
establish a new connection: [Errno -3] Temporary failure in name resolution')
ERROR: Could not find a version that satisfies the requirement bjoern
"""


def test_the_compilers_own_words_come_first() -> None:
    sentence = install._reason("bjoern", COMPILER, ["libev-dev"], LOG)
    assert "fatal error: ev.h: No such file or directory" in sentence
    assert "libev-dev" in sentence
    assert str(LOG) in sentence


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (BUILD, "the C compiler 'cc' does not work (all of it: all.log)."),
        (RAISED, "ModuleNotFoundError: No module named 'nothing' (all"),
        ("× did not run successfully.\n│ exit code: 1\n", "no message (all"),
        ("it is so\nnote: see there\n", "failed: it is so (all"),
        ("", "failed: no message (all"),
    ],
)
def test_what_a_build_says_counts_not_pip_s_summary(
    text: str, why: str
) -> None:
    assert why in install._reason("null", text, [], LOG)


def test_no_network_is_said_as_such() -> None:
    sentence = install._reason("bjoern", NETWORK, [], LOG)
    assert "no package index can be reached; go online" in sentence


def test_a_failed_environment_leaves_nothing_that_looks_complete(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WSGIBENCH_CACHE", str(tmp_path))

    def fail(*arguments: object, **options: object) -> None:
        raise WsgibenchError("no")

    monkeypatch.setattr(install, "packages", fail)
    monkeypatch.setattr(install, "environment", lambda *a, **o: None)
    python = interpreters.find("python3")
    for _ in range(2):
        with pytest.raises(WsgibenchError, match="no"):
            environments.get(python, "waitress", lambda text: None)
    assert environments.installed() == []


def test_a_server_that_no_index_has_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WSGIBENCH_CACHE", str(tmp_path))
    python = interpreters.find("python3")  # it has no syncless either
    with pytest.raises(WsgibenchError, match="docs/suites.md"):
        environments.get(python, "syncless", lambda text: None)


def test_servers_of_one_package_share_an_environment(cache: Path) -> None:
    python = interpreters.find("python3")
    said: list[str] = []
    first = environments.get(python, "wsgiref", said.append)
    again = environments.get(python, "raw-socket", said.append)
    assert first.python == again.python
    assert len(said) <= 1


@pytest.mark.parametrize(
    ("pip", "python", "can"),
    [
        ("23.2.1", "3.9.16", True),
        ("26.1", "3.9.16", False),
        ("26.1", "3.11.7", True),
        ("22.0.4", "3.11.7", False),
        ("23.2.1", "2.7.18", False),
        ("", "3.11.7", False),
    ],
)
def test_our_own_pip_installs_for_what_it_runs_on(
    monkeypatch: pytest.MonkeyPatch, pip: str, python: str, can: bool
) -> None:
    def metadata(name: str) -> dict[str, str]:
        if not pip:
            raise importlib.metadata.PackageNotFoundError
        least = ">=3.10" if pip == "26.1" else ">=3.7"
        return {"Version": pip, "Requires-Python": least}

    monkeypatch.setattr(importlib.metadata, "metadata", metadata)
    assert install._can_be_served(python) is can


def test_a_virtual_environment_is_not_looked_past(tmp_path: Path) -> None:
    """Servers that no index has are installed where the user says."""
    theirs = tmp_path / "theirs"
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(theirs)],
        check=True,
    )
    python = theirs / "bin" / "python"
    (place, *_) = install.site_packages(python)
    (Path(place) / "onlyhere.py").write_text("")
    made = tmp_path / "made"
    install.environment(
        interpreters.find(str(python)), made, tmp_path / "log", system=True
    )
    subprocess.run(
        [str(made / "bin" / "python"), "-c", "import onlyhere"], check=True
    )

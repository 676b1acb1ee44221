"""Where options come from: a file, variables, the command line."""

from __future__ import annotations

import http.client
import re
from pathlib import Path

import pytest

from tests.native.process import (
    children,
    get,
)
from tests.native.serving import (
    Run,
)
from wsgibench.errors import UsageError
from wsgibench.native.config import gather


def test_file_variables_and_command_line(run: Run, tmp_path: Path) -> None:
    """In that order, the last wins."""
    (tmp_path / "wsgibench.toml").write_text(
        'app = "an_app"\nport = 0\nworkers = 2\nthreads = 3\n'
        'server-header = "file"\nidle_timeout = 5\nbind = ["127.0.0.1:0"]\n'
    )
    environment = {"WSGIBENCH_THREADS": "2", "WSGIBENCH_SERVER_HEADER": "var"}
    program = run(
        "--print-config", "--server-header=line", environment=environment
    )
    assert program.wait() == 0, program.text
    assert program.process.stdout is not None
    lines = program.process.stdout.read().splitlines()
    for line in (
        "workers = 2  # wsgibench.toml",
        "threads = 2  # WSGIBENCH_THREADS",
        'server_header = "line"  # command line',
        "idle_timeout = 5.0  # wsgibench.toml",
        "grace = 30.0  # default",
        'bind = ["127.0.0.1:0"]  # wsgibench.toml',
    ):
        assert line in lines
    # What it prints is such a file itself.
    (tmp_path / "wsgibench.toml").write_text("\n".join(lines))
    program = run()
    port = program.port()
    assert len(children(program.pid)) == 2
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/")
    assert connection.getresponse().getheader("Server") == "line"
    connection.close()
    assert program.stop() == 0


def test_the_table_of_a_project(run: Run, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.wsgibench.serve]\napp = "an_app"\nport = 0\nfactory = false\n'
    )
    program = run()
    assert get(program.port()).endswith(b" one")
    assert program.stop() == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[tool.wsgibench]\nserve = 3", "serve is no table"),
        ("[tool.wsgibench.srve]\nworkers = 2", "did you mean serve?"),
        ("[tool.wsgibench.serve.tls]\na = 1", "there is no option 'tls'"),
        ("tool = 'wsgibench'", "tool is no table"),
    ],
)
def test_a_slip_in_the_tables_of_a_project_is_told(
    tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(UsageError, match=re.escape(words)):
        gather({"config": str(tmp_path / "pyproject.toml")}, {})


@pytest.mark.parametrize(
    ("text", "environment", "words"),
    [
        ("worker = 2", {}, "did you mean workers?"),
        ("workers = [2]", {}, "workers is a number or auto"),
        ("max-head = 9\nmax_head = 8", {}, "max_head is there twice"),
        ("grace = 'long'", {}, "grace"),
        ("reload = 1", {}, "reload"),
        ("workers = ", {}, "not TOML"),
        ("[serve]\nworkers = 2", {}, "there is no option 'serve'"),
        ("user = [0]", {}, "user is a text"),
        ("", {"WSGIBENCH_WORKER": "2"}, "did you mean WSGIBENCH_WORKERS?"),
        ("", {"WSGIBENCH_THREADS": "two"}, "WSGIBENCH_THREADS"),
        ("", {"WSGIBENCH_RELOAD": "perhaps"}, "WSGIBENCH_RELOAD"),
        ("", {"WSGIBENCH_CONFIG": "/nowhere.toml"}, "/nowhere.toml"),
    ],
)
def test_a_slip_in_the_configuration_is_told(
    run: Run,
    tmp_path: Path,
    text: str,
    environment: dict[str, str],
    words: str,
) -> None:
    (tmp_path / "wsgibench.toml").write_text(text)
    program = run("an_app", "--port=0", environment=environment)
    assert program.wait() == 2
    assert words in program.lines[-1]
    assert "Traceback" not in program.text


def test_every_option_has_a_name_of_its_own() -> None:
    from wsgibench.native.config import KINDS
    from wsgibench.native.options import NAMES
    from wsgibench.native.settings import BY_NAME

    assert not set(NAMES) & set(BY_NAME)
    assert set(KINDS) == {"app", *NAMES, *BY_NAME}

"""What every target file must be: readable for old interpreters, and free of
anything that an interpreter under test may not have."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from wsgibench import plugins
from wsgibench.errors import UsageError
from wsgibench.harness import interpreters, servers

TARGET = plugins.PACKAGE / "target"
FILES = sorted(TARGET.rglob("*.py"))
OURS = {"wsgibench_target"}
#: In one Python or the other; the files import them where they are.
OTHER_NAMES = {"httplib", "urllib2"}


def _id(path: Path) -> str:
    return str(path.relative_to(TARGET))


def _imports(tree: ast.Module) -> set[str]:
    """Of modules imported when the file is."""
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.skipif(
    sys.version_info < (3, 10), reason="sys.stdlib_module_names is of 3.10"
)
@pytest.mark.parametrize("path", FILES, ids=_id)
def test_only_the_standard_library_at_import_time(path: Path) -> None:
    allowed = set(sys.stdlib_module_names) | OURS | OTHER_NAMES
    assert _imports(ast.parse(path.read_text())) <= allowed


@pytest.mark.parametrize("version", ["2.7", "3.6"])
def test_old_interpreters_can_read_them(version: str) -> None:
    try:
        interpreter = interpreters.find(version)
    except UsageError:
        pytest.skip("no Python %s here" % version)
    program = "import sys\nfor p in sys.argv[1:]:\n"
    program += "    compile(open(p).read(), p, 'exec')\n"
    # async def is for servers that run on Python 3 alone.
    files = [str(p) for p in FILES if "async def" not in p.read_text()]
    done = subprocess.run(
        [interpreter.path, "-c", program, *files],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", plugins.names(servers.FOLDER))
def test_every_server_says_what_it_is(name: str) -> None:
    constants = servers.constants(name)
    assert constants["NAME"] == name
    assert constants["__doc__"]
    assert isinstance(constants["REQUIRES"], list)
    assert set(constants["INTERPRETERS"]) <= {"CPython", "PyPy", "Stackless"}
    options = constants.get("OPTIONS", {})
    assert "keep_alive" in {**constants["SETTINGS"], **options}
    assert len(constants["BEST"]) > 10
    speaks = set(constants.get("SPEAKS", ["wsgi"]))
    assert speaks <= {"wsgi", "page", "raw", "logged", "task", "split"}

"""Who may know whom (ARCHITECTURE.md, "Rooms"), over includes and imports."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CSRC = ROOT / "csrc"
PACKAGE = ROOT / "python" / "wsgibench"

INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', re.MULTILINE)

#: room of csrc -> rooms whose headers it may include
C_ROOMS = {
    "include": set(),
    "core": {"include", "core"},
    "load": {"include", "load"},
    "cpython": {"include", "cpython"},
}

#: room of the package -> rooms of the package it may import.
#: The modules at the top (errors, plugins) are everybody's.
PYTHON_ROOMS = {
    "guest": set(),
    "native": {"native"},
    "load": {"load", "native"},
    "scenarios": {"scenarios"},
    "services": {"services"},
    "harness": {"harness", "services", "scenarios", "load"},
    "stats": {"stats"},
    "reports": {"reports", "stats"},
}
EVERYBODYS = {"errors", "plugins", "__version__"}

#: What a server is made of must stay out of the harness.
SERVER_LIBRARIES = {
    "bjoern",
    "cherrypy",
    "cheroot",
    "eventlet",
    "fastpysgi",
    "gevent",
    "granian",
    "gunicorn",
    "hypercorn",
    "meinheld",
    "tornado",
    "twisted",
    "uvicorn",
    "waitress",
}


def includes(path: Path) -> set[str]:
    return set(INCLUDE.findall(path.read_text()))


def c_files(room: str) -> list[Path]:
    return sorted((CSRC / room).glob("*.[ch]"))


def headers() -> dict[str, str]:
    """header name -> its room"""
    return {
        path.name: room for room in C_ROOMS for path in c_files(room)
    }


@pytest.mark.parametrize("room", C_ROOMS)
def test_c_rooms(room: str) -> None:
    owner = headers()
    for path in c_files(room):
        for name in includes(path):
            # posix.h stands in core and in load; each has its own.
            if name in owner and not (CSRC / room / name).exists():
                assert owner[name] in C_ROOMS[room], (path.name, name)


def test_python_h_is_included_in_one_room() -> None:
    for room in set(C_ROOMS) - {"cpython"}:
        for path in c_files(room):
            assert "Python.h" not in includes(path), path


@pytest.mark.parametrize(
    ("header", "file"),
    [
        ("http_parser.h", "parse_http_parser.c"),
        ("llhttp.h", "parse_llhttp.c"),
    ],
)
def test_a_parser_is_one_file(header: str, file: str) -> None:
    users = [p.name for p in CSRC.rglob("*.[ch]") if header in includes(p)]
    assert set(users) <= {file}


def imports(path: Path) -> set[str]:
    """Dotted names of modules, at any depth of the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {
                "%s.%s" % (node.module, alias.name) for alias in node.names
            }
    return found


def rooms_of(path: Path) -> set[str]:
    """Rooms of our package that a file imports from."""
    rooms = set()
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "wsgibench" and len(parts) > 1:
            rooms.add(parts[1])
    return rooms - EVERYBODYS


@pytest.mark.parametrize("room", PYTHON_ROOMS)
def test_python_rooms(room: str) -> None:
    for path in sorted((PACKAGE / room).rglob("*.py")):
        allowed = PYTHON_ROOMS[room]
        if path.name in ("c_uv.py", "null.py", "_wsgibench.py"):
            allowed = allowed | {"native"}  # the guests that are ours
        assert rooms_of(path) <= allowed, path


def test_every_room_has_a_rule() -> None:
    rooms = {
        path.name
        for path in PACKAGE.iterdir()
        if path.is_dir() and path.name != "__pycache__"
    }
    assert rooms - {"commands"} == set(PYTHON_ROOMS)


def test_the_harness_imports_no_server() -> None:
    for room in ("harness", "stats", "reports", "load", "scenarios"):
        for path in sorted((PACKAGE / room).rglob("*.py")):
            roots = {name.split(".")[0] for name in imports(path)}
            assert not roots & SERVER_LIBRARIES, path


def top_level_imports(path: Path) -> set[str]:
    """Roots of what is imported when the module is."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def test_a_guest_imports_only_the_library_at_first() -> None:
    """An adapter imports its server inside its function: the child must be
    able to say in a sentence what is missing."""
    for path in sorted((PACKAGE / "guest" / "servers").glob("*.py")):
        roots = top_level_imports(path)
        assert not roots & SERVER_LIBRARIES, path


def test_no_machine_is_named_in_the_tree() -> None:
    names = ("/" + "work/", "/" + "root/")
    for folder in ("csrc", "python", "benchmarks", "docs", "scripts"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".c", ".h", ".py", ".md", ".sh", ".toml"):
                text = path.read_text()
                assert not [n for n in names if n in text], path

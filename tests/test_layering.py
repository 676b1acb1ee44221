"""Who may know whom, over #includes and imports (ARCHITECTURE.md, "Rooms").

A rule that fails here is either broken by the file it names, or has become
wrong; then change the table and ARCHITECTURE.md together.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from wsgibench import plugins
from wsgibench.harness import servers

ROOT = Path(__file__).parent.parent
CSRC = ROOT / "csrc"
PACKAGE = plugins.PACKAGE

# C ------------------------------------------------------------------------

#: ISO C11 and POSIX headers, and Linux' own (sys/epoll.h, sys/sendfile.h).
SYSTEM_HEADER = re.compile(
    r"(assert|ctype|dirent|errno|fcntl|float|inttypes|limits|math|poll"
    r"|pthread|sched|signal|stdalign|stdarg|stdatomic|stdbool|stddef|stdint"
    r"|stdio|stdlib|string|strings|time|unistd"
    r"|(arpa|netinet|sys)/\w+)\.h"
)

#: Header of a library -> the files that may include it.
LIBRARY_HEADERS: dict[str, tuple[str, ...]] = {
    "Python.h": ("cpython/*.h",),
    "structmember.h": ("cpython/*.c",),
    "uv.h": ("core/server/*.[ch]", "load/*.[ch]"),
    "http_parser.h": ("core/http/parse_http_parser.h",),
    "llhttp.h": ("core/http/parse_llhttp.h",),
    "openssl/ssl.h": ("tls/openssl.h",),
    "openssl/err.h": ("tls/openssl.h",),
    "openssl/pem.h": ("tls/openssl.h",),
    "openssl/x509.h": ("tls/openssl.h",),
    "dlfcn.h": ("tls/openssl.c",),
}

#: Room -> public headers it may include. What is not named sees everything
#: (fuzzers look inside the core, like tests/c).
PUBLIC_HEADERS = {
    "base": {"wsgibench.h"},
    "tls": set(),
    "core": {"wsgibench.h"},
    "load": {"wsgibench_load.h"},
    "cpython": {"wsgibench.h", "wsgibench_load.h"},
    "include": {"wsgibench.h", "wsgibench_load.h"},
}

#: Room -> rooms of C whose headers it may include by their folder's name.
SHARED = {
    "tls": ("base",),
    "core": ("base", "tls"),
    "load": ("base", "tls"),
}
#: Of a shared room's headers these are for itself only.
PRIVATE = {"tls/openssl.h"}

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)


def c_files(*rooms: str) -> list[Path]:
    return sorted(
        path for room in rooms for path in (CSRC / room).rglob("*.[ch]")
    )


def includes(path: Path) -> Iterator[tuple[str, str]]:
    """('<' or '"', name) of each #include."""
    for match in INCLUDE.finditer(path.read_text()):
        yield match.group(1), match.group(2)


def matches(path: Path, patterns: tuple[str, ...]) -> bool:
    return any(path.match(str(CSRC / pattern)) for pattern in patterns)


@pytest.mark.parametrize("room", sorted(PUBLIC_HEADERS))
def test_a_c_room_sees_its_own_headers_and_public_ones(room: str) -> None:
    files = c_files(room)
    assert files, "csrc/%s is empty" % room
    own = {
        str(name)
        for path in files
        if path.suffix == ".h"
        for name in (path.name, path.relative_to(CSRC / room))
    }
    own |= {
        str(path.relative_to(CSRC))
        for path in c_files(room, *SHARED.get(room, ()))
        if path.suffix == ".h"
    }
    own -= {name for name in PRIVATE if not name.startswith(room + "/")}
    wrong = [
        "%s includes %s" % (path.relative_to(ROOT), name)
        for path in files
        for bracket, name in includes(path)
        if bracket == '"' and name not in own | PUBLIC_HEADERS[room]
    ]
    assert not wrong


def test_each_library_has_its_place() -> None:
    wrong = []
    for path in c_files(*PUBLIC_HEADERS):
        for bracket, name in includes(path):
            if bracket == '"' or SYSTEM_HEADER.fullmatch(name):
                continue
            if not matches(path, LIBRARY_HEADERS.get(name, ())):
                wrong.append("%s: <%s>" % (path.relative_to(ROOT), name))
    assert not wrong


def test_public_headers_need_no_library() -> None:
    for path in c_files("include"):
        names = {name for _, name in includes(path)}
        assert names <= {"stddef.h", "stdint.h"}, path.name


def test_core_and_load_name_nothing_of_python() -> None:
    """Not only by #include: no Py_ or cffi symbol either."""
    wrong = [
        str(path.relative_to(ROOT))
        for path in c_files("base", "tls", "core", "load", "include")
        if re.search(r"\b(Py[A-Z_]\w*|PyObject|_cffi\w*)\b", path.read_text())
    ]
    assert not wrong


def test_the_cffi_binding_sees_only_public_headers() -> None:
    text = "".join(
        path.read_text()
        for path in sorted((CSRC / "cffi").glob("*"))
        if path.is_file()
    )
    quoted = set(re.findall(r"\b\w+\.h\b", text))
    assert quoted <= PUBLIC_HEADERS["cpython"]
    assert quoted


# Python -------------------------------------------------------------------

#: The rooms that put the others together.
SEE_EVERYTHING = {
    "__main__",
    "cli",
    "commands",
    "gunicorn",
    "pytest_plugin",
    "pytesting",
}

#: Any other room of the package -> rooms that it may import. target has rules
#: of its own below.
ROOMS: dict[str, set[str]] = {
    "errors": set(),
    "orphans": set(),
    "plugins": {"errors"},
    "verdicts": set(),
    "shapes": set(),
    "typed": set(),
    "bounded": {"errors"},
    "printable": set(),
    "outputs": {"errors"},
    "cache": {"errors"},
    "runtimes": set(),
    "__init__": {"native"},
    "native": {"errors", "orphans", "__init__"},
    "load": {
        "bounded",
        "cache",
        "errors",
        "native",
        "plugins",
        "printable",
        "verdicts",
        "__init__",
    },
    "locust": {"errors", "load", "verdicts"},
    "scenarios": {"errors", "services"},
    "services": {"errors", "orphans", "plugins"},
    "harness": {
        "audit",
        "bounded",
        "cache",
        "__init__",
        "errors",
        "load",
        "native",
        "orphans",
        "plugins",
        "printable",
        "runtimes",
        "scenarios",
        "services",
        "shapes",
        "typed",
        "verdicts",
    },
    "audit": {"errors", "orphans", "printable", "typed"},
    "stats": {"errors", "runtimes", "verdicts"},
    "reports": {
        "errors",
        "plugins",
        "printable",
        "runtimes",
        "stats",
        "verdicts",
    },
}


#: How histograms stand in records, and how applications are named: who reads
#: either may know it.
FORMATS = {"wsgibench.load.hdr", "wsgibench.target.reference"}


def room_of(path: Path) -> str:
    relative = path.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else path.stem


def imports(nodes: Sequence[ast.stmt]) -> Iterator[str]:
    """Dotted names of all imports in these statements, however deep."""
    for top in nodes:
        for node in ast.walk(top):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, "imports are absolute here"
                module = str(node.module)
                if module == "wsgibench":
                    yield from ("wsgibench." + a.name for a in node.names)
                else:
                    yield module


def imported_rooms(path: Path) -> set[str]:
    found = set()
    for name in imports(ast.parse(path.read_text()).body):
        parts = name.split(".")
        if parts[0] != "wsgibench" or name in FORMATS:
            continue
        part = parts[1] if len(parts) > 1 else "__init__"
        is_room = (PACKAGE / part).is_dir() or (
            PACKAGE / (part + ".py")
        ).exists()
        found.add(part if is_room else "__init__")  # wsgibench.__version__
    return found


def python_files(room: str) -> list[Path]:
    single = PACKAGE / (room + ".py")
    if single.exists():
        return [single]
    return sorted((PACKAGE / room).rglob("*.py"))


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_format_needs_nothing_of_ours(name: str) -> None:
    path = PACKAGE.parent / (name.replace(".", "/") + ".py")
    assert not imported_rooms(path)


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_room_imports_only_what_it_may(room: str) -> None:
    files = python_files(room)
    assert files, "wsgibench.%s is gone" % room
    wrong = [
        "%s imports wsgibench.%s" % (path.relative_to(ROOT), other)
        for path in files
        for other in sorted(imported_rooms(path) - ROOMS[room] - {room})
    ]
    assert not wrong


def test_every_room_is_known_here() -> None:
    known = {*ROOMS, "target", *SEE_EVERYTHING}
    rooms = {room_of(path) for path in PACKAGE.rglob("*.py")}
    assert rooms <= known


def test_the_picture_of_the_rooms_is_true() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    picture = text.split("an arrow is an import")[1].split("```")[1]
    arrows = set(re.findall(r"(\w+) --> (\w+)", picture))
    arrows |= {(b, a) for a, b in re.findall(r"(\w+) <-- (\w+)", picture)}
    arrows |= {("harness", b) for b in re.findall(r"\+-+> (\w+)", picture)}
    python = {(a, b) for a, b in arrows if (PACKAGE / b).is_dir()}
    assert len(python) >= 6
    for room, other in python:
        files = (PACKAGE / room).rglob("*.py")
        assert any(other in imported_rooms(file) for file in files), room


def section(title: str) -> str:
    """The first block in backquotes under a title of ARCHITECTURE.md."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    return text.split("\n## %s\n" % title)[1].split("```")[1]


def c_names(text: str) -> set[str]:
    return set(re.findall(r"(?<![/\w])(\w+\.c)\b", text))


def test_the_lists_of_files_are_those_of_the_folders() -> None:
    listed: dict[str, set[str]] = {}
    folder = ""
    for line in section("The server: bytes in, requests out").splitlines():
        start = re.match(r"(?:\.\./)?(\w+)/ ", line)
        folder = start[1] if start else folder
        listed.setdefault(folder, set()).update(c_names(line))
    places = {"http": "core/http", "net": "core/net", "server": "core/server"}
    places["base"] = "base"
    found = {name: listed[name] for name in places}
    found["load"] = c_names(section("The load generator"))
    places["load"] = "load"
    assert found == {
        name: {path.name for path in (CSRC / place).glob("*.c")}
        for name, place in places.items()
    }


def server_libraries() -> set[str]:
    """What the adapters of the field require, by import name."""
    found = set()
    for name in plugins.names(servers.FOLDER):
        for requirement in servers.constants(name)["REQUIRES"]:
            found.add(re.split(r"[^\w.-]", requirement)[0].lower())
    return found - {"wsgibench"}


def test_no_server_library_outside_the_targets() -> None:
    forbidden = server_libraries()
    assert {"gunicorn", "tornado", "twisted", "gevent"} <= forbidden
    wrong = []
    for path in PACKAGE.rglob("*.py"):
        # wsgibench.gunicorn is a worker class for gunicorn, and Locust is on
        # gevent.
        if room_of(path) in ("target", "gunicorn", "locust"):
            continue
        names = {
            name.split(".")[0]
            for name in imports(ast.parse(path.read_text()).body)
        }
        wrong += [
            "%s imports %s" % (path.relative_to(ROOT), name)
            for name in sorted(names & forbidden)
        ]
    assert not wrong


TARGET = PACKAGE / "target"


def target_files() -> list[Path]:
    return sorted(TARGET.rglob("*.py"))


@pytest.mark.skipif(
    sys.version_info < (3, 10), reason="sys.stdlib_module_names is of 3.10"
)
def test_targets_import_only_the_standard_library_at_first() -> None:
    """Their own library comes in when they serve: the harness reads their
    constants in other interpreters, and an import that fails must name it."""
    own = {path.stem for path in TARGET.iterdir()}
    wrong = []
    for path in target_files():
        top_level = [
            node
            for node in ast.parse(path.read_text()).body
            if isinstance(node, (ast.Import, ast.ImportFrom, ast.Try))
        ]
        for name in imports(top_level):
            top = name.split(".")[0]
            if top not in sys.stdlib_module_names and top not in own:
                wrong.append("%s: %s" % (path.relative_to(ROOT), name))
    assert not wrong


def test_targets_know_of_us_only_the_server() -> None:
    """And only the adapters of our own servers do."""
    wrong = []
    for path in target_files():
        rooms = imported_rooms(path)
        text = path.read_text()
        is_ours = 'REQUIRES = ["wsgibench"]' in text or path.name == (
            "_wsgibench.py"
        )
        if rooms - ({"__init__", "native"} if is_ours else set()):
            wrong.append("%s: %s" % (path.relative_to(ROOT), sorted(rooms)))
    assert not wrong


def test_no_machine_is_named_in_the_tree() -> None:
    """A path that exists on one machine is a bug on all others."""
    names = ("/" + "work/", "/" + "root/")
    kinds = {".c", ".h", ".py", ".pyi", ".md", ".sh", ".toml", ".ini", ".js"}
    rooms = ("csrc", "python", "tests", "benchmarks", "docs", "scripts")
    wrong = [
        "%s: %s" % (path.relative_to(ROOT), name)
        for room in rooms
        for path in (ROOT / room).rglob("*")
        if path.suffix in kinds
        for name in names
        if name in path.read_text()
    ]
    assert not wrong


# Circles ------------------------------------------------------------------

#: Folders whose files call each other in one direction only.
NO_CIRCLE = ("load", "core")

#: Folders of the core and what it stands on; each uses those before it.
ORDER = ("base", "tls", "core/http", "core/net", "core/server")

MOST_LINES = 60
MOST_ARGUMENTS = 6


def functions(path: Path) -> Iterator[tuple[str, str, str]]:
    """(name, arguments, text) of each function, as clang-format leaves it:
    the name begins a line, a brace ends it."""
    pattern = r"^(\w+)\(([^;{}]*)\)\n\{\n(.*?)^\}"
    for match in re.finditer(pattern, path.read_text(), re.M | re.S):
        yield match[1], match[2], match[0]


def without_comments(path: Path) -> str:
    return re.sub(r"/\*.*?\*/", " ", path.read_text(), flags=re.S)


def name_of(path: Path) -> str:
    return str(path.relative_to(CSRC).with_suffix(""))


def callers(*folders: str) -> dict[str, set[str]]:
    """File -> files of these folders whose functions it names."""
    files = [path for path in c_files(*folders) if path.suffix == ".c"]
    where = {}
    for path in files:
        for name, _, _ in functions(path):
            if re.match(r"w[bl]_", name):
                where[name] = name_of(path)
    assert len(where) > 20
    found = {}
    for path in files:
        named = set(re.findall(r"\bw[bl]_\w+", without_comments(path)))
        found[name_of(path)] = {where[n] for n in named if n in where} - {
            name_of(path)
        }
    return found


def headers(*folders: str) -> dict[str, set[str]]:
    """Header -> headers of these folders that it includes."""
    files = {
        str(path.relative_to(CSRC)): path
        for path in c_files(*folders)
        if path.suffix == ".h"
    }
    return {
        own: {
            place
            for _, name in includes(path)
            for place in (name, "core/" + name)
            if place in files
        }
        for own, path in files.items()
    }


def upwards(graph: dict[str, set[str]]) -> list[str]:
    """What uses something of a folder behind its own."""

    def place(name: str) -> int:
        return ORDER.index(name.rsplit("/", 1)[0])

    return [
        "%s uses %s" % (name, other)
        for name, others in sorted(graph.items())
        for other in sorted(others)
        if place(other) > place(name)
    ]


def circle(graph: dict[str, set[str]]) -> list[str]:
    """The files that are left when those that call no other are taken away,
    over and over."""
    left = {name: set(others) for name, others in graph.items()}
    while True:
        leaves = {name for name in left if not left[name] & set(left)}
        if not leaves:
            return sorted(left)
        for name in leaves:
            del left[name]


@pytest.mark.parametrize("folder", NO_CIRCLE)
def test_c_files_call_each_other_in_one_direction(folder: str) -> None:
    assert circle(callers(folder)) == []


def test_folders_of_the_core_are_used_in_one_direction() -> None:
    calls, included = callers("base", "tls", "core"), headers(*ORDER)
    assert "core/server/conn" in calls["core/server/respond"]
    assert "core/net/stream.h" in included["core/server/conn.h"]
    assert upwards(calls) == []
    assert upwards(included) == []
    assert circle(included) == []


def test_a_step_upwards_is_found() -> None:
    assert upwards({"core/http/a": {"core/net/b"}, "core/net/b": {"base/c"}})


def test_a_circle_is_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}
    assert circle(graph) == ["a", "b", "c", "d"]
    graph["c"] = set()
    assert circle(graph) == []


@pytest.mark.parametrize("folder", NO_CIRCLE)
def test_c_functions_are_short(folder: str) -> None:
    wrong = []
    seen = 0
    for path in c_files(folder):
        for name, arguments, text in functions(path):
            seen += 1
            lines, count = text.count("\n") + 1, arguments.count(",") + 1
            if lines > MOST_LINES or count > MOST_ARGUMENTS:
                wrong.append("%s: %d lines, %d" % (name, lines, count))
    assert seen > 100
    assert not wrong


def test_modules_of_the_load_import_in_one_direction() -> None:
    folder = PACKAGE / "load"
    graph = {}
    for path in folder.glob("*.py"):
        text = path.read_text()
        known = {other.stem for other in folder.glob("*.py")} | {"drivers"}
        named = set(re.findall(r"from wsgibench\.load\.(\w+)", text))
        for group in re.findall(
            r"from wsgibench\.load import (\([^)]*\)|[^\n]*)", text
        ):
            named |= set(re.findall(r"\w+", group))
        graph[path.stem] = (named & known) - {path.stem}
    assert sum(map(len, graph.values())) > 20
    assert circle(graph) == []

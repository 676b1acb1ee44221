"""What the documents say: links that lead somewhere, Python that is Python,
files and numbers that are there. (Commands: test_commands.py.)"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from wsgibench import plugins, shapes
from wsgibench.commands import _exit_codes
from wsgibench.commands import list as list_command
from wsgibench.native import prometheus

ROOT = Path(__file__).resolve().parents[1]
CORE = ROOT / "csrc" / "core"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)

document = pytest.mark.parametrize(
    "path", DOCUMENTS, ids=[str(path.relative_to(ROOT)) for path in DOCUMENTS]
)


def blocks(path: Path, language: str) -> Iterator[str]:
    for match in FENCE.finditer(path.read_text()):
        if match.group(1) == language:
            yield match.group(2)


@document
def test_links_lead_to_files(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)[^):]*\)", path.read_text())
    missing = [t for t in targets if not (path.parent / t).exists()]
    assert not missing


def test_the_readme_links_absolutely() -> None:
    """An index shows it, too; there is no tree around it there."""
    text = (ROOT / "README.md").read_text()
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert [link for link in links if "://" not in link] == []
    place = r"https://(?:github.com|raw.githubusercontent.com)/wsgibench/"
    ours = re.findall(place + r"wsgibench/(?:blob/)?main/([^)#]+)", text)
    assert len(ours) > 10
    assert [path for path in ours if not (ROOT / path).exists()] == []


def defined(module: str) -> set[str]:
    """What its file defines, of classes their methods, too; it is not
    imported, for what it needs may be missing."""
    found = set()
    file = plugins.PACKAGE.parent.joinpath(*module.split("."))
    for node in ast.parse(file.with_suffix(".py").read_text()).body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {
                "%s.%s" % (node.name, one.name)
                for one in node.body
                if isinstance(one, ast.FunctionDef)
            }
    return found


def test_the_page_of_python_has_what_documents_import() -> None:
    page = (ROOT / "docs" / "reference" / "python.md").read_text()
    entries = [
        re.match(r"(.*?)\.((?:[A-Z]\w*\.)?\w+)$", one)
        for one in re.findall(r"^::: (\S+)$", page, re.M)
    ]
    assert len(entries) > 8
    for entry in entries:
        assert entry is not None
        assert entry[2] in defined(entry[1]), entry[0]
    told = {entry[2] for entry in entries if entry is not None}
    for path in DOCUMENTS:
        for block in blocks(path, "python"):
            for node in ast.walk(ast.parse(block)):
                if isinstance(node, ast.ImportFrom) and str(
                    node.module
                ).startswith("wsgibench"):
                    assert {one.name for one in node.names} <= told, path


@document
def test_who_installs_from_an_index_is_told_of_it(path: Path) -> None:
    """As long as wsgibench is in none."""
    text = path.read_text()
    if re.search(r"pip install[^\n`]*(?<![\w/])wsgibench\b", text):
        assert "not in the package index" in " ".join(text.split())


def test_both_pages_of_the_gate_install_the_same() -> None:
    pages = (ROOT / "docs" / "gate.md", ROOT / "docs/tutorials/ci-gate.md")
    first, second = (
        re.findall("- run: (.*apt-get.*)", page.read_text()) for page in pages
    )
    assert first == second != []


@document
def test_python_can_be_parsed(path: Path) -> None:
    for block in blocks(path, "python"):
        ast.parse(block)


#: Paths in backquotes that are of another kind: made by running, or a form.
NOT_FILES = re.compile(r"[*{}A-Z<>]|^/|^results/|^wsgibench-\w+/\d")


@document
def test_files_that_are_named_exist(path: Path) -> None:
    """`csrc/base/buf.c`, `tests/c` and their like, from any of the roots."""
    roots = [ROOT, ROOT / "python" / "wsgibench", path.parent]
    named = re.findall(r"`([\w.-]+(?:/[\w.-]+)+/?)`", path.read_text())
    missing = [
        name
        for name in named
        if not NOT_FILES.search(name)
        and not any((root / name).exists() for root in roots)
    ]
    assert not missing


def test_each_benchmark_is_named() -> None:
    listed = (ROOT / "CONTRIBUTING.md").read_text().split("`benchmarks/`\n")[1]
    named = set(re.findall(r"`([\w.]+)/?`", listed))
    folder = ROOT / "benchmarks"
    found = {
        path.name for path in folder.iterdir() if path.name[0] not in "._"
    }
    assert found == named & found
    files = {name for name in named if "." in name}
    assert files <= found


@document
def test_c_files_that_are_named_exist(path: Path) -> None:
    """By their bare names: `block.c`."""
    names = set(re.findall(r"`(\w+\.[ch])`", path.read_text()))
    known = {file.name for file in (ROOT / "csrc").rglob("*.[ch]")}
    assert names - known == set()


def interpreters(text: str) -> set[str]:
    return set(re.findall(r"(?<![\d.])3\.\d+t?\b", text))


def test_the_readme_names_the_interpreters_of_the_table() -> None:
    readme = (ROOT / "README.md").read_text()
    status = readme.split("\n## Status\n")[1].split("\n## ")[0]
    runtimes = (ROOT / "docs" / "runtimes.md").read_text()
    table = runtimes.split("\n| interpreter |")[1].split("\n\n")[0]
    assert interpreters(status) == interpreters(table) != set()


def in_backquotes(text: str) -> set[str]:
    """Words that stand in backquotes, each by itself: of `a.b` both."""
    return set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", text))))


def test_the_page_of_the_record_has_each_field() -> None:
    told = in_backquotes((ROOT / "docs" / "record-format.md").read_text())
    fields = {
        (name, field)
        for name, shape in vars(shapes).items()
        if isinstance(shape, type) and shape.__module__ == shapes.__name__
        for field in shape.__annotations__
    }
    assert len(fields) > 100
    assert sorted(one for one in fields if one[1] not in told) == []


#: What makes a doubt: its code comes first.
MAKERS = {"doubt", "add"}


def codes_of_doubts(path: Path) -> Iterator[str]:
    """In a module that makes doubts (wsgibench.verdicts), however named."""
    tree = ast.parse(path.read_text())
    if not any(
        isinstance(node, ast.ImportFrom)
        and node.module == "wsgibench.verdicts"
        and any(name.name == "doubt" for name in node.names)
        for node in ast.walk(tree)
    ):
        return
    for node in ast.walk(tree):
        if not (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in MAKERS
        ):
            continue
        first = node.args[0]
        if isinstance(first, ast.Starred) and isinstance(
            first.value, ast.Tuple
        ):
            first = first.value.elts[0]
        if isinstance(first, ast.Constant):
            yield str(first.value)


def test_the_table_of_reasons_has_each_code() -> None:
    made = {
        code
        for path in plugins.PACKAGE.rglob("*.py")
        for code in codes_of_doubts(path)
    }
    assert {"stall", "worker-lost", "client-limited"} <= made
    text = (ROOT / "docs" / "method.md").read_text()
    table = text.split("\n| reason |")[1].split("\n\n")[0]
    told = {
        code
        for row in table.splitlines()
        for code in re.findall(r"`([a-z-]+)`", row.split(" | ")[0])
    }
    assert told == made


def test_the_servers_are_those_that_are_raced() -> None:
    """`list --markdown` is pasted there whenever an adapter changes."""
    text = (ROOT / "docs" / "servers.md").read_text()
    assert text.endswith(list_command.markdown() + "\n")


def test_the_defaults_are_those_of_the_core() -> None:
    core = (CORE / "server" / "server.c").read_text()
    body = core[core.index("wb_config_init") :]
    body = body[: body.index("};")]
    defaults = {
        name: int(value) << int(shift or 0)
        for name, value, shift in re.findall(
            r"\.(\w+) = (?:\(\w+\))?(\d+)(?: << (\d+))?,", body
        )
    }
    told = re.findall(
        r"^\| `(\w+)` \| (\d+)",
        (ROOT / "docs" / "tuning.md").read_text(),
        re.MULTILINE,
    )
    assert len(told) > 10
    for name, value in told:
        expected = defaults[name] // (1000 if name.endswith("timeout") else 1)
        assert int(value) == expected, name


def test_the_readme_has_each_exit_code() -> None:
    text = (ROOT / "README.md").read_text()
    table = text.split("\n| code | what |")[1].split("\n\n")[0]
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.M)}
    ends = {n for n in vars(_exit_codes).values() if type(n) is int}
    assert told == {0, *ends}


def test_each_metric_is_described() -> None:
    told = in_backquotes((ROOT / "docs" / "tuning.md").read_text())
    names = {"wsgibench_" + one[0] for one in prometheus.SIMPLE}
    assert sorted(names - told) == []


def test_each_atom_of_the_access_log_is_described() -> None:
    source = CORE / "server" / "log_format.c"
    letters = set(
        re.findall(
            r"case '(\w)':\n        return WB__LOG_", source.read_text()
        )
    )
    assert {"h", "l", "D"} <= letters
    text = (ROOT / "docs" / "tuning.md").read_text()
    assert letters - set(re.findall(r"`%\((\w)\)s`", text)) == set()


def test_each_package_of_an_extra_is_among_the_third_parties() -> None:
    """The names in pyproject.toml, which Python before 3.11 cannot read."""
    text = (ROOT / "pyproject.toml").read_text()
    extras = text.split("[project.optional-dependencies]")[1].split("\n[")[0]
    needed = {
        name.lower()
        for name in re.findall(r'"([A-Za-z][\w-]*)[^"]*[<>=~]', extras)
    }
    assert {"numpy", "locust", "mkdocs", "playwright"} <= needed
    page = (ROOT / "THIRD_PARTY.md").read_text().lower()
    assert sorted(needed - set(re.findall(r"[\w-]+", page))) == []

"""Pages of the documentation site that are not in docs/: those of the root,
and the commands, from their own --help. A hook of MkDocs (mkdocs.yml)."""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path, PurePosixPath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
#: A file of the root -> its page.
OF_ROOT = {
    "ARCHITECTURE.md": "architecture.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "RESULTS.md": "results.md",
}
LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)(#[^)\s]*)?\)")


def commands() -> str:
    """Every sub-command, as --help prints it."""
    os.environ["COLUMNS"] = "88"
    from wsgibench.cli import build_parser

    parser = build_parser()
    (choices,) = (
        action.choices
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    lines = ["# Commands\n\nAs `python -m wsgibench COMMAND --help` says.\n"]
    for name, sub in choices.items():
        lines.append("\n## %s\n\n```text\n%s```\n" % (name, sub.format_help()))
    return "".join(lines)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for name, page in OF_ROOT.items():
        text = (ROOT / name).read_text()
        files.append(File.generated(config, page, content=text))
    files.append(
        File.generated(config, "reference/commands.md", content=commands())
    )
    return files


def on_page_markdown(
    markdown: str, page: Page, config: MkDocsConfig, files: Files
) -> str:
    """Links are written for a checkout; here they lead to pages, or else to
    the file in the repository."""
    here = PurePosixPath(page.file.src_uri)
    of_root = str(here) in OF_ROOT.values()
    place = "" if of_root else "docs/" + str(here.parent)

    def target(match: re.Match[str]) -> str:
        path = os.path.normpath(os.path.join(place, match[1]))
        anchor = match[2] or ""
        wanted = OF_ROOT.get(path) or path.removeprefix("docs/")
        ours = path.startswith("docs/") or path in OF_ROOT
        if ours and files.get_file_from_path(wanted):
            up = os.path.relpath(wanted, here.parent)
            return "](%s%s)" % (up, anchor)
        kind = "tree" if (ROOT / path).is_dir() else "blob"
        return "](%s/%s/main/%s%s)" % (config.repo_url, kind, path, anchor)

    return LINK.sub(target, markdown)

"""Copies of a checkout: a commit as it was, the tree as it lies there."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from wsgibench import cli
from wsgibench.errors import UsageError
from wsgibench.harness import versions

pytestmark = pytest.mark.skipif(
    shutil.which("git") is None, reason="install git"
)


def git(root: Path, *arguments: str) -> None:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(
        ["git", "-C", str(root), *who, *arguments],
        check=True,
        capture_output=True,
    )


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WSGIBENCH_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "checkout"
    (root / "package").mkdir(parents=True)
    (root / "package" / "app.py").write_text("old = 1\n")
    (root / ".gitignore").write_text("*.log\n")
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    return root


def test_a_commit_and_the_tree_as_it_lies_there(checkout: Path) -> None:
    (checkout / "package" / "app.py").write_text("new = 2\n")
    (checkout / "added.py").write_text("")
    (checkout / "noise.log").write_text("ignored")
    old = versions.of_revision(checkout, "HEAD")
    new = versions.of_working_tree(checkout)
    assert (old.tree / "package" / "app.py").read_text() == "old = 1\n"
    assert (new.tree / "package" / "app.py").read_text() == "new = 2\n"
    assert (new.tree / "added.py").exists()
    assert not (new.tree / "noise.log").exists()
    assert not (old.tree / "added.py").exists()
    assert old.key != new.key
    assert not old.is_ours


def test_the_same_content_is_copied_once(checkout: Path) -> None:
    first = versions.of_working_tree(checkout)
    again = versions.of_working_tree(checkout)
    assert first == again
    git(checkout, "tag", "one")
    assert (
        versions.of_revision(checkout, "one").tree
        == versions.of_revision(checkout, "HEAD").tree
    )


def test_a_file_that_was_removed_is_not_copied(checkout: Path) -> None:
    (checkout / "package" / "app.py").unlink()
    new = versions.of_working_tree(checkout)
    assert not (new.tree / "package").exists()


@pytest.mark.parametrize("revision", ["nowhere", "--help", ""])
def test_a_revision_that_is_none(checkout: Path, revision: str) -> None:
    with pytest.raises(UsageError, match="git: "):
        versions.of_revision(checkout, revision)


def test_old_copies_are_removed(checkout: Path) -> None:
    for number in range(4):
        (checkout / "package" / "app.py").write_text(str(number))
        last = versions.of_working_tree(checkout)
    versions.remove_old(keep=2)
    left = [one for one in last.tree.parent.iterdir() if one.is_dir()]
    assert len(left) == 2
    assert last.tree in left


def test_gate_says_what_it_needs(
    checkout: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    where = ["--repository", str(checkout)]
    assert cli.main(["gate", "--base=HEAD", *where, "--only=timed"]) == 2
    assert "is no checkout of wsgibench" in capsys.readouterr().err
    assert cli.main(["gate", "--base=nowhere", *where, "--only=timed"]) == 2
    assert "git: " in capsys.readouterr().err
    empty = tmp_path / "elsewhere"
    empty.mkdir()
    where = ["--repository", str(empty), "--only=timed"]
    assert cli.main(["gate", "--base=HEAD", *where]) == 2
    (empty / "file").write_text("no record")
    file = str(empty / "file")
    assert cli.main(["gate", "--base", file, "--only=timed"]) == 2

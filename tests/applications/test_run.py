"""``run --app``: from a project to answers that are held against its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
PYPROJECT = "[tool.wsgibench.run]"

#: A machine that others use makes a run INVALID, and right none the less.
DONE = (0, 1)

APP = """
import itertools
import time

numbers = itertools.count()

def make():
    return application

def application(environ, start_response):
    path = environ["PATH_INFO"]
    size = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(size) or b"the page " * 100
    headers = [("X-Route", path)]
    headers += [("Set-Cookie", "a=1"), ("Set-Cookie", " b=2")]
    if path == "/time":
        body = b"number %d, said at %r" % (next(numbers), time.time())
    if path == "/who":
        body = environ.get("HTTP_COOKIE", "nobody").encode()
    headers.append(("Content-Length", str(len(body))))
    start_response("404 Not Found" if path == "/no" else "200 OK", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

def log_in(url, visitors):
    numbers = range(visitors)
    return [{"Cookie": "visitor=%d" % n, "{n}": str(n)} for n in numbers]
"""

REQUESTS = """
{"target": "/", "weight": 4}
{"target": "/time"}
{"target": "/who", "weight": 2}
{"target": "/no"}
{"method": "HEAD", "target": "/"}
{"method": "PUT", "target": "/up", "body": "visitor {n}"}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in a folder of its own, with module names like ours."""
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps" / "__init__.py").write_text("")
    (tmp_path / "apps" / "pages.py").write_text(APP)
    (tmp_path / "requests.jsonl").write_text(REQUESTS)
    return tmp_path


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    quick = ["--duration=0.3", "--warmup=0.1", "--warmup-jit=0.1"]
    quick += ["--starts=1", "--connections=4", "-o", "record.json"]
    quick += ["--again=0"]  # however busy the machine is
    return subprocess.run(
        [sys.executable, "-m", "wsgibench", "run", *quick, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=110,
    )


def record_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "record.json").read_text())
    return found


def codes(start: dict[str, Any]) -> list[str]:
    return [one["code"] for one in start["load"]["doubts"]]


def test_an_application_with_sessions_and_every_method(project: Path) -> None:
    done = run(
        project,
        "--app=apps.pages:application",
        "--python=python3",
        "--requests=requests.jsonl",
        "--sessions=apps.pages:log_in",
        "--visitors=3",
        "--server=c-uv,wsgiref",
    )
    assert done.returncode in DONE, done.stdout + done.stderr
    made = record_of(project)
    assert made["application"]["requests"] == 6
    assert made["application"]["routes"]["GET /"] == pytest.approx(0.4)
    (base,) = made["baselines"]
    # Time, cookies and numbers change; all the rest is compared.
    assert base["checked_under_load"]["body"] == pytest.approx(0.5)
    assert base["checked_under_load"]["length"] == 0
    (alone,) = base["starts"]
    assert alone["calls"] == sum(n[0] for n in alone["routes"].values()) > 0
    for cell in made["cells"]:
        (start,) = cell["starts"]
        assert start["answers"]["differences"] == []
        assert start["answers"]["checked"] == 6
        classes = start["load"]["classes"]
        assert classes["ok"] == start["load"]["scheduled"] > 0
        assert set(start["load"]["routes"]) == set(
            made["application"]["routes"]
        )


def test_a_table_is_the_command(project: Path) -> None:
    (project / "commands.txt").write_text("")
    (project / "pyproject.toml").write_text(
        PYPROJECT
        + """
app = "apps.pages:make()"
python = ["python3"]
server = "c-uv"
env = {COLOUR = "blue"}
setup = "echo set up $COLOUR >> commands.txt"
reset = "echo reset >> commands.txt"
"""
    )
    done = run(project, "--server=wsgiref")
    assert done.returncode in DONE, done.stdout + done.stderr
    made = record_of(project)
    assert [cell["server"] for cell in made["cells"]] == ["wsgiref"]
    assert "--app=apps.pages:make()" in made["argv"]
    # Two processes for the reference, one alone, one start.
    said = (project / "commands.txt").read_text().splitlines()
    assert said == ["set up blue"] + ["reset"] * 4


#: What is said of each fault that is planted.
SAID = {
    "truncates": "GET /: the header content-length is missing",
    "doubles a cookie": "GET /: the header set-cookie comes 3 times, not 2",
    "wrong under load": "wrong bodies",
    "swaps answers": "when 8 ask at once",
}


def planted(folder: Path) -> str:
    """An environment whose waitress breaks answers."""
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(folder)],
        check=True,
    )
    (packages,) = folder.glob("lib/python3*/site-packages")
    shutil.copy(HERE / "planted.py", packages / "waitress.py")
    metadata = packages / "waitress-99.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: waitress\nVersion: 99\n"
    )
    return str(folder)


@pytest.mark.parametrize("fault", SAID)
def test_a_server_that_breaks_an_answer_is_named_and_not_ranked(
    project: Path, fault: str
) -> None:
    (project / "lines").write_text("4 /\n/time\n/no\n2 /who\n")
    done = run(
        project,
        "--app=apps.pages:application",
        "--requests=lines",
        "--sessions=apps.pages:log_in",
        "--visitors=4",
        "--venv=" + planted(project / "venv"),
        "--server=waitress,wsgiref",
        "--env=PLANTED=" + fault,
    )
    cells = {c["server"]: c for c in record_of(project)["cells"]}
    assert cells["waitress"]["versions"]["waitress"] == "99"
    (right,) = cells["wsgiref"]["starts"]
    assert right["answers"]["differences"] == []
    (start,) = cells["waitress"]["starts"]
    said = [
        "%(request)s: %(what)s" % one
        for one in start["answers"]["differences"]
    ]
    said += [one["what"] for one in start["load"]["doubts"]]
    assert any(SAID[fault] in one for one in said), said
    assert "wrong-answers" in codes(start)
    assert start["load"]["verdict"] == "INVALID"
    assert done.returncode == 1
    answer, _, _ = done.stdout.partition("\n\n")
    assert "Not ranked: waitress on" in " ".join(answer.split())
    assert said[0].rpartition(": ")[2][:40] in done.stdout


def test_django(tmp_path: Path) -> None:
    """SQLite, a login, a form with CSRF, an upload, a static file, a
    stream."""
    pytest.importorskip("django")
    folder = tmp_path / "site"
    shutil.copytree(HERE / "django_site", folder)
    table = folder / "pyproject.toml"
    lines = table.read_text().splitlines()
    kept = [line for line in lines if not line.startswith("install")]
    table.write_text("\n".join(kept))
    done = run(folder, "--python=python3", "--server=c-uv,wsgiref")
    assert done.returncode in DONE, done.stdout + done.stderr
    made = record_of(folder)
    for cell in made["cells"]:
        (start,) = cell["starts"]
        assert start["answers"]["differences"] == []
        routes = start["load"]["routes"]
        assert routes["POST /add"]["classes"]["ok"] > 0
        assert routes["POST /upload"]["classes"]["ok"] > 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--app=apps"], "'apps' is no application like mysite.wsgi:"),
        (["--app=a:b", "--chdir=nowhere"], "there is no folder"),
        (["--app=a:b", "--env=COLOUR"], "'COLOUR' is not like NAME=VALUE"),
        (["--app=a:b", "--venv=."], "is no virtual environment"),
        (["--app=a:b", "-r", "none.txt"], "there is no file"),
        (["--app=a:b", "--requests=none"], "cannot read none: No such file"),
        (["--app=a:b", "--sessions=x"], "'x' is no function like"),
        (["--app=a:b", "--sample=5"], "--sample is for --requests"),
        (["--requests=lines"], "--requests goes with --app."),
        (["--config=none.toml"], "cannot read none.toml"),
        (["--server=waitres"], "(did you mean 'waitress'?)"),
    ],
)
def test_wrong_use(project: Path, arguments: list[str], sentence: str) -> None:
    done = run(project, *arguments)
    assert done.returncode == 2, done.stderr
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("ap = 'x'", "has no 'ap' (did you mean 'app'?)"),
        ("app = 'a:b'\nresume = 'x'", "has no 'resume'"),
    ],
)
def test_a_wrong_table(project: Path, table: str, sentence: str) -> None:
    (project / "pyproject.toml").write_text(PYPROJECT + "\n" + table)
    done = run(project)
    assert done.returncode == 2
    assert sentence in done.stderr


@pytest.mark.parametrize(
    ("app", "sentence"),
    [
        ("nothing:app", "No module named 'nothing'"),
        ("apps.pages:nothing", "has no attribute 'nothing'"),
    ],
)
def test_an_application_that_cannot_be_imported(
    project: Path, app: str, sentence: str
) -> None:
    done = run(project, "--app=" + app, "--python=python3", "--server=wsgiref")
    assert done.returncode == 1
    assert sentence in done.stdout
    assert "Traceback" not in done.stderr


def test_what_cannot_be_installed_says_so(project: Path) -> None:
    done = run(
        project,
        "--app=apps.pages:application",
        "--install=./no-such-project",
        "--python=python3",
        "--server=wsgiref",
    )
    assert done.returncode == 1
    assert "installing the application's requirements" in done.stdout

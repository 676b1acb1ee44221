"""``run --app``: from a project to answers that are held against its own."""

from __future__ import annotations

import functools
import gzip
import itertools
import json
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from wsgibench import cli, verdicts
from wsgibench.commands._exit_codes import DISTURBED, FAILED
from wsgibench.harness import yardstick

HERE = Path(__file__).parent
PYPROJECT = "[tool.wsgibench.run]"

#: A machine that others use makes a run INVALID, and right none the less.
DONE = (0, FAILED, DISTURBED)
#: The first test that needs an environment waits until it is made.
LONGEST = 600
pytestmark = pytest.mark.timeout(LONGEST)

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


QUICK = (
    *("run", "--duration=0.3", "--warmup=0.1", "--warmup-jit=0.1"),
    *("--starts=1", "--connections=4", "-o", "record.json"),
    "--again=0",  # however busy the machine is
)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wsgibench", *QUICK, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=LONGEST - 10,
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


def test_the_application_alone_is_timed_again_on_a_slow_cpu(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, before, after = [400.0] * verdicts.FEW_LOOKS, 400.0, 600.0
    looks = itertools.chain([*usual, before, after], itertools.repeat(400.0))
    monkeypatch.setattr(yardstick, "of", functools.cache(yardstick.Yardstick))
    monkeypatch.setattr(yardstick, "look", lambda cpu: next(looks))
    monkeypatch.chdir(project)
    more = ("--app=apps.pages:application", "--python=python3")
    code = cli.main([*QUICK, "--again=1", "--server=wsgiref", *more])
    assert code in DONE
    (base,) = record_of(project)["baselines"]
    (spoilt,), (alone,) = base["disturbed"], base["starts"]
    assert spoilt["start"] == alone["start"] == 0
    assert [one["now_us"] for one in spoilt["yardstick"]] == [before, after]
    assert [one["now_us"] for one in alone["yardstick"]] == [400.0, 400.0]


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


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The Django project; Django is here already."""
    pytest.importorskip("django")
    folder = tmp_path / "site"
    shutil.copytree(HERE / "django_site", folder)
    table = folder / "pyproject.toml"
    lines = table.read_text().splitlines()
    kept = [line for line in lines if not line.startswith("install")]
    table.write_text("\n".join(kept))
    return folder


def test_django(site: Path) -> None:
    """SQLite, a login, a form with CSRF, an upload, a static file, a
    stream."""
    done = run(site, "--python=python3", "--server=c-uv,wsgiref")
    assert done.returncode in DONE, done.stdout + done.stderr
    for cell in record_of(site)["cells"]:
        (start,) = cell["starts"]
        assert start["answers"]["differences"] == []
        assert start["answers"]["checked"] >= 6
        # How many of each come is for the clock to say, but all are right.
        assert failures(start) == {}
        assert {"POST /add", "POST /upload"} <= set(start["load"]["routes"])


def failures(start: dict[str, Any]) -> dict[str, int]:
    classes = start["load"]["classes"]
    rest = ("ok", "in_flight")
    return {k: n for k, n in classes.items() if n and k not in rest}


def test_what_a_browser_asked(site: Path) -> None:
    """browser.har is Chromium's: it logs in, looks at notes and adds one."""
    done = run(
        site,
        "--python=python3",
        "--server=c-uv,wsgiref",
        "--requests=%s" % (HERE / "browser.har"),
        "--sessions=",
    )
    assert done.returncode in DONE, done.stdout + done.stderr
    made = record_of(site)
    assert made["application"]["kind"] == "HAR"
    for cell in made["cells"]:
        (start,) = cell["starts"]
        assert start["answers"]["differences"] == []
        assert start["answers"]["checked"] == 19
        assert failures(start) == {}
        routes = start["load"]["routes"]
        assert routes["POST /login"]["classes"]["ok"] > 0


def access_log() -> str:
    """10,000 lines as of a server in public: pages of all frequencies,
    robots that send HEAD, forms, and what is no HTTP."""
    rng = random.Random(1)
    agents = ("Mozilla/5.0 (X11; Linux) Firefox/140.0", "a robot", "-")
    lines = []
    for number in range(10_000):
        page = int(rng.paretovariate(0.7)) % 3000
        method = rng.choices(("GET", "HEAD", "POST"), (95, 3, 2))[0]
        line = '192.0.2.%d - - [10/Oct/2026:13:55:%02d +0000] "%s" 200 %d' % (
            number % 250,
            number % 60,
            "\\x16\\x03\\x01"
            if number % 500 == 7
            else "%s /page/%d?q=%%20a HTTP/1.1" % (method, page),
            page,
        )
        lines.append('%s "-" "%s"' % (line, agents[number % 3]))
    return "\n".join(lines) + "\n"


def test_an_access_log_of_10_000_lines(project: Path) -> None:
    path = project / "access.log.gz"
    path.write_bytes(gzip.compress(access_log().encode()))
    done = run(
        project,
        "--app=apps.pages:application",
        "--python=python3",
        "--server=c-uv,wsgiref",
        "--requests=access.log.gz",
        "--sample=1000",
    )
    assert done.returncode in DONE, done.stdout + done.stderr
    assert "20 of 10000 lines of access.log.gz are no requests" in done.stderr
    made = record_of(project)
    assert made["application"]["kind"] == "access log"
    assert sum(made["application"]["routes"].values()) == pytest.approx(1)
    for cell in made["cells"]:
        (start,) = cell["starts"]
        assert start["answers"]["differences"] == []
        assert start["answers"]["checked"] > 100
        assert failures(start) == {}


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
        (["--app=a:b", "--price-memory=nan"], "--price-memory is at least 0"),
        (["--app=a:b", "--host=a\r\nX-A: b"], "is no host like example.com"),
        (["--app=a:b", "--install="], "--install names a package or a path"),
        (["--app=a:b", "--port=99999"], "a port is 0 to 65535, not 99999"),
        (["--app=a:b", "-o", "apps"], "cannot write apps: it is a folder"),
        (["--app=a:b", "--starts=-1"], "--starts is at least 1"),
        (["--app=a:b", "--duration=-1"], "--duration is more than 0"),
        (["--requests=lines"], "--requests goes with --app."),
        (["--config=none.toml"], "cannot read none.toml"),
        (["--server=waitres"], "(did you mean 'waitress'?)"),
    ],
)
def test_wrong_use(
    project: Path,
    arguments: list[str],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing has been started yet: no process of its own is needed."""
    monkeypatch.chdir(project)
    assert cli.main([*QUICK, *arguments]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert len(said.splitlines()) == 1


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
        ("apps.pages:make", "if it makes the application, write"),
    ],
)
def test_an_application_that_cannot_be_called(
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

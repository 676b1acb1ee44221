"""``python -m wsgibench audit``: is a server right?"""

from __future__ import annotations

import argparse
import functools
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Optional

if TYPE_CHECKING:
    from wsgibench.audit.finding import Finding
    from wsgibench.audit.record import Audit
    from wsgibench.audit.subject import Subject

    #: What to fill in; whom to ask, None where it cannot run; who wants to
    #: know of a whole audit.
    Entry = tuple[Audit, Optional[Subject], Optional[Callable[[Audit], None]]]

HELP = "check servers against RFC 9110, RFC 9112 and PEP 3333"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--server",
        default="c-uv",
        metavar="NAMES",
        help="servers of `wsgibench list`, comma-separated; all: every one "
        "(default: c-uv)",
    )
    what.add_argument(
        "--command",
        help="a server of your own, as in 'gunicorn --bind {host}:{port} "
        "{app}'; {folder} is where the application lies",
    )
    what.add_argument(
        "--url",
        help="a server that runs already, at http://host:port or "
        "unix:/path, with the application wsgibench_audit:application (see "
        "--folder) behind it",
    )
    what.add_argument(
        "--folder",
        action="store_true",
        help="print the folder of that application, and end",
    )
    what.add_argument(
        "--read",
        nargs="+",
        metavar="FILE",
        help="ask nobody; show what earlier runs wrote with --json",
    )
    parser.add_argument(
        "--python",
        default="python3",
        metavar="NAMES",
        help="interpreters for --server, comma-separated (default: python3)",
    )
    parser.add_argument(
        "--case",
        action="append",
        metavar="PATTERN",
        help="only cases whose name (http/host/twice) matches; * and ? "
        "stand for any letters; one alone is shown with its bytes",
    )
    parser.add_argument(
        "--level",
        choices=["must", "should", "robust"],
        default="robust",
        help="what exit code 1 is for: must alone; must and should; all "
        "(default: robust)",
    )
    parser.add_argument(
        "--verbose", action="store_true", help="show each wrong answer"
    )
    parser.add_argument("--json", metavar="FILE", help="write findings")
    parser.add_argument("--junit", metavar="FILE", help="write JUnit XML")
    parser.add_argument(
        "--differences",
        metavar="FILE",
        help="write where the servers understand the same bytes differently",
    )
    parser.add_argument(
        "--markdown",
        metavar="FILE",
        help="write the matrix of all servers; in a page with the marks "
        "'<!-- audit: begin -->' and '<!-- audit: end -->' between them",
    )
    parser.add_argument(
        "--scores",
        metavar="FILE",
        help="write what the tables of `run` show of servers that were not "
        "audited where they run",
    )


def _tell(text: str) -> None:
    if sys.stderr.isatty():
        print("\r\x1b[K" + text, end="", file=sys.stderr, flush=True)


def _own(arguments: argparse.Namespace) -> Iterator[Entry]:
    from wsgibench.audit import subject
    from wsgibench.audit.record import Audit

    made: Any
    if arguments.url is not None:
        made = subject.Url(arguments.url)
    else:
        made = subject.Command(arguments.command)
    yield Audit(made.label), made, None


def _listed(names: str, pythons: str) -> Iterator[Entry]:
    """Each server on each interpreter."""
    from wsgibench import plugins
    from wsgibench.audit.record import Audit
    from wsgibench.errors import WsgibenchError
    from wsgibench.harness import (
        audits,
        environments,
        interpreters,
        selection,
        servers,
    )
    from wsgibench.harness.audited import Audited

    chosen = selection.split(names, "server")
    if chosen == ["all"]:
        chosen = [
            name
            for name in plugins.names(servers.FOLDER)
            if "wsgi" in servers.find(name).speaks
        ]
    found = [servers.find(name) for name in chosen]
    places = [
        interpreters.find(name) for name in selection.split(pythons, "python")
    ]
    for interpreter in places:
        for server in found:
            audit = Audit(
                "%s on %s" % (server.text, interpreter.label),
                server.text,
                interpreter.label,
            )
            audit.error = servers.why_not(server.name, interpreter)
            if not audit.error and "wsgi" not in server.speaks:
                audit.error = "it runs no WSGI application."
            if not audit.error:
                try:
                    environment = environments.get(
                        interpreter, server.name, _tell
                    )
                except WsgibenchError as error:
                    audit.error = str(error)
                else:
                    audit.versions = environment.versions
                    kept = functools.partial(
                        audits.keep, server.text, environment
                    )
                    subject = Audited(server, interpreter, environment)
                    yield audit, subject, kept
                    continue
            yield audit, None, None


class _Cases:
    """Of all cases those that the user wants."""

    def __init__(self, patterns: Sequence[str] | None) -> None:
        from wsgibench.audit.faults import families as faults
        from wsgibench.audit.http import families
        from wsgibench.audit.wsgi import checks
        from wsgibench.errors import UsageError

        every: dict[str, list[Any]] = {
            "http": families.all_cases(),
            "wsgi": checks.all_checks(),
            "faults": faults.all_faults(),
        }
        self.of: dict[str, list[Any]] = {}
        names = []
        for suite, cases in every.items():
            named = [
                ("%s/%s/%s" % (suite, case.family, case.name), case)
                for case in cases
            ]
            names += [name for name, _ in named]
            self.of[suite] = [
                case for name, case in named if _matches(name, patterns)
            ]
        if not any(self.of.values()):
            raise UsageError(_no_case(patterns or [], names))


def _matches(name: str, patterns: Sequence[str] | None) -> bool:
    import fnmatch

    return patterns is None or any(
        fnmatch.fnmatchcase(name, pattern) for pattern in patterns
    )


def _no_case(patterns: Sequence[str], names: Sequence[str]) -> str:
    import difflib

    close = [
        near
        for pattern in patterns
        for near in difflib.get_close_matches(pattern, names, 3)
    ]
    folders = dict.fromkeys(name.rpartition("/")[0] + "/*" for name in names)
    return "no case is named %s; %s." % (
        " or ".join(patterns),
        "did you mean %s" % ", ".join(close)
        if close
        else "there are " + ", ".join(folders),
    )


def _ask(subject: Subject, audit: Audit, cases: _Cases) -> None:
    """Fills in the findings."""
    from wsgibench.audit import run
    from wsgibench.errors import WsgibenchError

    server = run.Server(subject)
    audit.parser = subject.parser
    reason = run.why_not(server.address)
    if reason:
        raise WsgibenchError(reason)

    def tell(text: str) -> None:
        _tell("%s: %s" % (audit.label, text))

    for suite, ask in (
        ("http", run.http),
        ("wsgi", run.wsgi),
        ("faults", run.faults),
    ):
        for finding in ask(server, cases.of[suite], tell):
            audit.findings.append(finding)
    _tell("")


def _fails(findings: Sequence[Finding], level: str) -> bool:
    from wsgibench.audit.finding import LEVELS

    counted = LEVELS[: LEVELS.index(level) + 1]
    return any(not f.right and f.level in counted for f in findings)


#: Options that name a file.
OUTPUTS = ("json", "junit", "markdown", "scores", "differences")


def _keep(
    arguments: argparse.Namespace, audits: Sequence[Audit], *, last: bool
) -> list[str]:
    """Files are whole after every server; standard output gets the end.
    Sentences: what could not be written, for which no audit ends."""
    from wsgibench import outputs
    from wsgibench.audit import differences, matrix, record
    from wsgibench.errors import WsgibenchError

    date = time.strftime("%Y-%m-%d")
    texts = {
        "json": lambda: record.to_json(audits, date),
        "junit": lambda: record.to_junit(audits),
        "markdown": lambda: matrix.markdown(audits),
        "scores": lambda: record.to_scores(audits),
        "differences": lambda: differences.text(audits),
    }
    complaints = []
    for name in OUTPUTS:
        path = getattr(arguments, name)
        if not path or (path == outputs.STDOUT and not last):
            continue
        text = texts[name]()
        if name == "markdown" and path != outputs.STDOUT:
            text = _in_its_page(path, text)
        try:
            outputs.write(path, text)
        except WsgibenchError as error:
            complaints.append(str(error))
    return complaints


def _end(complaints: Sequence[str], failed: bool) -> int:
    for sentence in complaints:
        print("wsgibench: " + sentence, file=sys.stderr)
    return int(failed or bool(complaints))


def _in_its_page(path: str, table: str) -> str:
    from wsgibench import bounded
    from wsgibench.audit import matrix
    from wsgibench.errors import UsageError

    try:
        page = bounded.read(path).decode()
    except (UsageError, UnicodeDecodeError):
        return table  # there is no page
    return matrix.into(page, table)


def _show(arguments: argparse.Namespace) -> int:
    from wsgibench import bounded
    from wsgibench.audit import record
    from wsgibench.errors import UsageError

    newest: dict[str, Audit] = {}
    for path in arguments.read:
        whole = bounded.parsed(path, bounded.read(path))
        try:
            found = record.from_json(whole)
        except ValueError as error:
            raise UsageError(
                "%s is not what audit --json writes: %s." % (path, error)
            ) from error
        newest.update((audit.label, audit) for audit in found)
    audits = list(newest.values())
    for audit in audits:
        print(record.to_text(audit, arguments.verbose))
    complaints = _keep(arguments, audits, last=True)
    failed = any(_fails(one.findings, arguments.level) for one in audits)
    return _end(complaints, failed)


def run(arguments: argparse.Namespace) -> int:
    from wsgibench import outputs
    from wsgibench.audit import FOLDER
    from wsgibench.commands import _interrupts

    if arguments.folder:
        print(FOLDER)
        return 0
    outputs.check(*(getattr(arguments, name) for name in OUTPUTS))
    if arguments.read:
        return _show(arguments)
    with _interrupts.as_by_ctrl_c():
        return _audit(arguments)


def _audit(arguments: argparse.Namespace) -> int:
    from wsgibench.audit import record
    from wsgibench.errors import UsageError, WsgibenchError

    cases = _Cases(arguments.case)
    audits = []
    subjects: Iterator[Entry]
    if arguments.url is not None or arguments.command is not None:
        subjects = iter(_own(arguments))
    else:
        subjects = _listed(arguments.server, arguments.python)
    for audit, subject, whole in subjects:
        _tell("")
        audits.append(audit)
        audit.date = time.strftime("%Y-%m-%d")
        started = time.monotonic()
        if subject is not None:
            try:
                _ask(subject, audit, cases)
            except UsageError:
                raise
            except WsgibenchError as error:
                audit.error = str(error)
            else:
                if whole is not None and not arguments.case:
                    whole(audit)
            finally:
                subject.close()
        audit.seconds = time.monotonic() - started
        if arguments.json != "-" and arguments.junit != "-":
            print(record.to_text(audit, arguments.verbose), flush=True)
            if len(audit.findings) == 1 and not (
                arguments.verbose and record.wrong(audit.findings)
            ):
                print(record.describe(audit.findings[0]))
        _keep(arguments, audits, last=False)
    complaints = _keep(arguments, audits, last=True)
    single = len(audits) == 1
    failed = any(
        _fails(audit.findings, arguments.level) or (single and audit.error)
        for audit in audits
    )
    nothing = not any(audit.findings for audit in audits)
    return _end(complaints, failed or nothing)

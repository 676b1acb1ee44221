"""``python -m wsgibench run``: race servers."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wsgibench.commands import (
    _application,
    _client,
    _counted,
    _exit_codes,
    _interrupts,
    _numbers,
    _warmup,
)

if TYPE_CHECKING:
    from wsgibench.harness.application_run import ApplicationRun
    from wsgibench.harness.budget import Budget
    from wsgibench.harness.run import Run
    from wsgibench.harness.selection import Selection

HELP = "race servers against each other"

#: name -> (starts, seconds measured)
PROFILES = {"quick": (1, 2.0), "standard": (10, 5.0), "paper": (30, 10.0)}
#: An answer has to say how sure it is, and one start does not.
QUICK_APP = (3, 1.5)
QUICK_BUDGET = "4m"
#: Of a run that has a budget and was not told how many.
MOST_STARTS = 30


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--suite", help="a published benchmark (list names them), or a file")
    add(
        "--server",
        help="names, comma-separated; NAME:OPTION=NUMBER sets one of its own "
        "(default: c-uv,null; with --app: %s)" % _application.SERVERS,
    )
    add(
        "--python",
        help="python3 (what runs this), 3.12, pypy3, paths; comma-separated "
        "(default: python3; with --app pypy3, too, if it is there)",
    )
    add(
        "--scenario",
        help="what is asked, without --app (default: hello)",
    )
    add(
        "--connections",
        help="numbers, comma-separated; 1..1024: powers of two (default: 64)",
    )
    add(
        "--duration",
        type=float,
        help="seconds measured of each start (default: as the profile says)",
    )
    _warmup.add_arguments(parser)
    add(
        "--headers",
        help="a set of request headers: minimal, browser, ... or @FILE "
        "(default: proxied; what a HAR file has stays)",
    )
    add(
        "--no-keepalive",
        action="store_true",
        help="a connection for each request (default: kept)",
    )
    add(
        "--rate",
        default="0",
        help="requests/s, comma-separated; 0: closed loop; 50%%,90%%: of the "
        "capacity that each cell has in the closed loop",
    )
    add(
        "--starts",
        type=int,
        help="server processes of each row (default: as the profile says; "
        "with --budget as many as fit)",
    )
    add(
        "--budget",
        metavar="TIME",
        help="for all of it, environments too: 10m. Starts are fewer, and a "
        "JIT is warmed up for a shorter time, to keep it (default: none; "
        "with --app in the profile quick " + QUICK_BUDGET + ")",
    )
    add(
        "--precision",
        type=float,
        metavar="P",
        help="no more starts once every CPU per request is known to P %%",
    )
    add(
        "--profile",
        choices=sorted(PROFILES),
        default="quick",
        help="how many starts of how many seconds (default: %(default)s)",
    )
    add(
        "--aa",
        action=argparse.BooleanOptionalAction,
        help="measure one server twice: the noise floor (default: not in "
        "the profile quick)",
    )
    add(
        "--again",
        type=int,
        default=2,
        metavar="N",
        help="measure a start that others on the machine disturbed up to N "
        "times more (default: %(default)s); in a run at most half as many "
        "as starts",
    )
    add(
        "--accept-disturbed",
        action="store_true",
        help="exit code 0, not 4, where all that is wrong is that others on "
        "the machine disturbed rows",
    )
    add(
        "--further",
        type=int,
        metavar="N",
        help="up to N further starts where those of a row lie so far apart, "
        "or were disturbed so often, that they tell no CPU per request; of "
        "all rows with its scenario and load (default: twice as many as the "
        "profile standard or paper has; 0 in quick and with --starts, "
        "--budget or --precision)",
    )
    add(
        "--dry-run",
        "--plan",
        action="store_true",
        help="say what would be done, and how long that takes",
    )
    add(
        "--resume",
        type=Path,
        metavar="FILE",
        help="take up an interrupted run where it stopped",
    )
    add(
        "--seed",
        type=int,
        default=1,
        help="of the order, and of what is sent (default: %(default)s)",
    )
    add("--port", type=int, default=0, help="0 picks a free one")
    _client.add_arguments(parser)
    add(
        "-o",
        "--output",
        type=Path,
        default=Path("wsgibench.json"),
        help="the record (default: %(default)s)",
    )
    _application.add_arguments(parser)
    _application.add_prices(parser)
    _counted.add_arguments(parser)


#: What changes nothing of a plan.
BESIDE_RESUME = ("resume", "port", "dry_run", "accept_disturbed")
#: What a suite says itself; it is refused beside one.
OF_SUITES = (
    *("connections", "headers", "no_keepalive", "rate", "warmup"),
    *("warmup_jit", "aa", "app", "requests", "think"),
)


def _refuse_beside_a_suite(
    arguments: argparse.Namespace, parser: argparse.ArgumentParser
) -> None:
    """--server and --scenario narrow a suite; what it would not obey is
    refused."""
    from wsgibench.errors import UsageError
    from wsgibench.harness import suite

    suite.read(arguments.suite)  # one that is there
    for name in OF_SUITES:
        if getattr(arguments, name) != parser.get_default(name):
            raise UsageError(
                "--%s does not go with --suite: the suite says it itself."
                % name.replace("_", "-")
            )


def _or(given: str | None, default: str) -> str:
    """What is given and empty is no default: its variable was not set."""
    return default if given is None else given


def _select(
    arguments: argparse.Namespace, application_run: ApplicationRun | None
) -> tuple[Selection, int]:
    """What is to be raced, and how many times."""
    from wsgibench.harness import selection, suite

    starts, duration = PROFILES[arguments.profile]
    if application_run is not None and arguments.profile == "quick":
        starts, duration = QUICK_APP
    warmup, settle = _warmup.chosen(arguments)
    if arguments.suite:
        chosen = suite.read(arguments.suite)
        profile = chosen.profile(arguments.profile)
        duration = profile.get("duration", duration)
        starts = profile.get("starts", starts)
        chosen_cells = selection.of_suite(
            chosen,
            arguments.python,
            server_names=arguments.server,
            scenario_names=arguments.scenario,
            duration=arguments.duration or duration,
            warmup=profile.get("warmup", warmup),
            settle=(0.0, 0.0) if "warmup" in profile else settle,
            durations=None if arguments.duration else profile.get("durations"),
        )
        return chosen_cells, _starts(arguments, starts)
    load = {
        "duration": arguments.duration or duration,
        "keepalive": not arguments.no_keepalive,
        "headers": _or(arguments.headers, "proxied"),
        "think": arguments.think,
    }
    is_ours = application_run is None
    found = selection.matrix(
        _or(
            arguments.server, "c-uv,null" if is_ours else _application.SERVERS
        ),
        _or(arguments.scenario, "hello"),
        _or(arguments.python, "python3")
        if is_ours
        else _application.pythons(arguments, _tell),
        arguments.connections,
        load=load,
        pace=arguments.rate,
        warmup=warmup,
        settle=settle,
        aa=(
            arguments.profile != "quick"
            if arguments.aa is None
            else arguments.aa
        ),
        application=application_run.scenario.name if application_run else "",
    )
    return found, _starts(arguments, starts)


def _as_begun(
    arguments: argparse.Namespace,
) -> tuple[argparse.Namespace, dict[str, Any]]:
    """The arguments that an interrupted run was begun with, and its record:
    the same plan has to come out of them."""
    from wsgibench import cli
    from wsgibench.errors import UsageError
    from wsgibench.harness import record

    parser = cli.parser_of("run", add_arguments)
    _refuse_beside_resume(arguments.argv[1:], parser)
    earlier = record.read(arguments.resume, record.TIMED, record.COUNTED)
    argv = earlier["argv"]
    if not isinstance(argv, list) or not all(
        isinstance(word, str) for word in argv
    ):
        raise UsageError("%s has no command line." % arguments.resume)
    if argv[:1] != ["run"]:
        raise UsageError("%s is not of a run." % arguments.resume)
    try:
        begun = parser.parse_args(argv[1:])
    except UsageError as error:
        raise UsageError(
            "the command line in %s is none of run: %s"
            % (arguments.resume, error)
        ) from error
    # It may be another's record, and names commands (--setup) that are run.
    _tell("going on with: %s" % _shown(argv))
    begun.output = arguments.resume
    begun.port = arguments.port or begun.port
    begun.dry_run = arguments.dry_run
    begun.accept_disturbed |= arguments.accept_disturbed
    return begun, earlier


def _refuse_beside_resume(
    argv: Sequence[str], parser: argparse.ArgumentParser
) -> None:
    """The plan is that of the record: what would change it is refused."""
    from wsgibench.errors import UsageError

    unset = {action.dest: None for action in parser._actions}
    given = parser.parse_args(argv, argparse.Namespace(**unset))
    for name, value in vars(given).items():
        if value is not None and name not in BESIDE_RESUME:
            raise UsageError(
                "--%s does not go with --resume: the record says it itself."
                % name.replace("_", "-")
            )


def _shown(argv: Sequence[str]) -> str:
    """On one line of a terminal, whatever is in it."""
    from wsgibench import printable

    words = shlex.join(["python", "-m", "wsgibench", *argv])
    return printable.text(words.replace("\n", "\\n"))


def _budget(
    arguments: argparse.Namespace, application_run: ApplicationRun | None
) -> Budget | None:
    from wsgibench.errors import UsageError
    from wsgibench.harness.budget import Budget, begun
    from wsgibench.load import values

    given = arguments.budget
    if given is None:
        own = arguments.starts, arguments.duration, arguments.precision
        quick = application_run is not None and arguments.profile == "quick"
        if not quick or any(own) or arguments.counted:
            return None
        given = QUICK_BUDGET
    elif arguments.counted:
        raise UsageError("--counted and --budget exclude each other.")
    seconds = values.seconds(given)
    if seconds <= 0:
        raise UsageError("--budget is more than 0.")
    return Budget(seconds, begun())


def _starts(arguments: argparse.Namespace, profile: int) -> int:
    """How many times each row is raced, at most."""
    if arguments.starts:
        return int(arguments.starts)
    return MOST_STARTS if arguments.budget else profile


def _further(
    arguments: argparse.Namespace, starts: int, budget: Budget | None
) -> int:
    """Starts beyond the planned ones, where a row needs them."""
    from wsgibench.errors import UsageError

    if arguments.further is None:
        said = arguments.starts, budget, arguments.precision
        is_exact = arguments.counted or any(said)
        return 0 if is_exact or arguments.profile == "quick" else 2 * starts
    if arguments.counted or budget is not None:
        raise UsageError("--further goes neither with --counted nor --budget.")
    return int(arguments.further)


def _enough(precision: float | None) -> Callable[[dict[str, Any]], bool]:
    from wsgibench.stats import pilot

    if precision is None:
        return lambda record: False
    return lambda record: pilot.precise(record, precision / 100)


def _expected(
    race: Run, starts: int, budget: Budget | None, further: int
) -> tuple[int, str]:
    """(starts of each row, how long it will take)"""
    from wsgibench.harness import progress

    cells = race.possible()
    count, making = race.schedule.making(cells)
    if budget is None:
        seconds = starts * sum(progress.planned(cell) for cell in cells)
    else:
        found = race.schedule.allocation(cells, budget.left() - making)
        starts, seconds = found.starts, found.seconds
    words = "%d starts of %d rows: about %s" % (
        starts * len(cells),
        len(cells),
        progress.text(seconds),
    )
    if count:
        words += ", and before it about %s to make %d environment%s" % (
            progress.text(making),
            count,
            "" if count == 1 else "s",
        )
    if further:
        words += "; up to %d more of each where they are needed" % further
    if budget is not None:
        words += " (budget: %s)" % progress.text(budget.seconds)
    return starts, words


def _plan_text(
    race: Run, starts: int, budget: Budget | None, further: int
) -> str:
    starts, expected = _expected(race, starts, budget, further)
    lines = ["%d x %s" % (starts, cell.name) for cell in race.possible()]
    lines += [
        "not %s: %s" % (one["cell"], one["reason"])
        for one in race.record["skipped"]
    ]
    lines.append(expected)
    return "\n".join(lines)


def _say_what_disturbs(race: Run) -> None:
    """What doctor would say, and into the record."""
    from wsgibench.harness import disturbances

    found = disturbances.find()
    race.record["doctor"] = [one.what for one in found]
    for line in disturbances.lines(found):
        print(line, file=sys.stderr, flush=True)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _show(record: dict[str, Any]) -> None:
    """What there is of it, if anything."""
    from wsgibench.reports import counted, table
    from wsgibench.reports import suite as suite_table

    if record.get("kind") == "counted":
        print(counted.render(record))
    elif "suite" in record:
        print(suite_table.render(record))
    elif record["complete"] or any(c["starts"] for c in record["cells"]):
        print(table.render(record))


def run(arguments: argparse.Namespace) -> int:
    from wsgibench import cli, outputs
    from wsgibench.harness.run import Run
    from wsgibench.load.headers import header_set
    from wsgibench.stats import machine, pilot, samples

    argv = arguments.argv
    earlier = None
    if arguments.resume:
        arguments, earlier = _as_begun(arguments)
        argv = earlier["argv"]
    else:
        parser = cli.parser_of("run", add_arguments)
        argv = ["run", *_application.expanded(argv[1:], parser)]
        arguments = parser.parse_args(argv[1:])
        if arguments.suite is not None:
            _refuse_beside_a_suite(arguments, parser)
    _numbers.positive(arguments, "duration", "precision")
    _numbers.counts(1, arguments, "starts")
    _numbers.counts(0, arguments, "again", "further")
    _numbers.at_least(0, arguments, "seed")
    client = _client.chosen(arguments)
    _warmup.chosen(arguments)
    header_set(_or(arguments.headers, "proxied"))
    _counted.arrange(arguments)
    outputs.check(arguments.output)
    _numbers.port(arguments.port)
    application_run = _application.application_run(arguments, _tell)
    selection, starts = _select(arguments, application_run)
    _client.check(client, selection.cells)
    budget = _budget(arguments, application_run)
    further = _further(arguments, starts, budget)
    race = Run(
        selection.cells,
        selection.interpreters,
        starts=starts,
        seed=arguments.seed,
        port=arguments.port,
        argv=argv,
        output=arguments.output,
        missing=selection.missing,
        suite=selection.suite,
        earlier=earlier,
        enough=_enough(arguments.precision),
        further=further,
        wants_more=pilot.wants_more,
        review=machine.review,
        again=arguments.again,
        spoilt=samples.disturbance,
        measure=_client.measurer(client, _counted.measurer(arguments)),
        tell=_tell,
        application_run=application_run,
        budget=budget,
    )
    if arguments.counted:
        race.record["kind"] = "counted"
    race.record["cwd"] = os.getcwd()
    if client is not None:
        race.record["client"] = client.to_json()
    race.record["prices"] = _application.prices(arguments)
    if arguments.dry_run:
        print(_plan_text(race, starts, budget, further))
        return 0
    if not arguments.counted:
        _say_what_disturbs(race)
        _tell(_expected(race, starts, budget, further)[1])
    try:
        with _interrupts.as_by_ctrl_c():
            record = race.execute()
    except KeyboardInterrupt:
        _show(race.record)
        _tell(
            "interrupted; go on with: python -m wsgibench run --resume %s"
            % arguments.output
            if race.record["cells"]
            else "interrupted before anything was measured"
        )
        return _exit_codes.INTERRUPTED
    _show(record)
    if race.unwritten:
        _tell(race.unwritten)
        return _exit_codes.FAILED
    print("record: %s" % arguments.output)
    if not arguments.counted:
        print(
            "as a page: python -m wsgibench report %s -o %s"
            % (arguments.output, arguments.output.with_suffix(".html"))
        )
    nothing = not any(cell["starts"] for cell in record["cells"])
    if record["failures"] or nothing:
        return _exit_codes.FAILED
    return 0 if arguments.counted else exit_code(record, arguments)


def exit_code(record: dict[str, Any], arguments: argparse.Namespace) -> int:
    """By why rows are INVALID. A suite repeats what was published of servers
    as they are: there, requests that one of them fails are a result, which
    its row shows, and the run has succeeded."""
    from wsgibench.stats import summary

    accepted = {"failures"} if "suite" in record else set()
    if arguments.accept_disturbed:
        accepted.add("machine-busy")
    reasons = {
        one["code"]
        for cell in record["cells"]
        for one in summary.row(cell)["doubts"]
        if one["level"] == "INVALID"
    } - accepted
    if reasons == {"machine-busy"}:
        return _exit_codes.DISTURBED
    return _exit_codes.FAILED if reasons else 0

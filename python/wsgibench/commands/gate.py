"""``python -m wsgibench gate --base REV``: has a change made it slower?"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wsgibench.harness.variants import Variant
    from wsgibench.harness.versions import Version
    from wsgibench.stats.counted import Difference
    from wsgibench.stats.gate import Timed

HELP = "hold the working tree against a base; exit code 1 when it lost"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--base",
        required=True,
        metavar="REV|FILE",
        help="a commit, branch or tag to build and count in turns with the "
        "working tree; or a record of run --counted (counted only)",
    )
    add("--repository", type=Path, default=Path(), help="the checkout")
    add(
        "--app",
        metavar="MODULE:NAME",
        help="an application of the checkout, in this interpreter's "
        "environment; without it the checkout is wsgibench's own",
    )
    add("--path", default="/", help="what is asked of --app")
    add("--server", default="c-uv", help="names, comma-separated")
    add("--python", default="python3", help="names, comma-separated")
    add("--scenario", default="hello", help="without --app")
    add("--headers", default="proxied", help="a set of request headers")
    add(
        "--only",
        choices=["counted", "timed"],
        help="leave the other out (default: both)",
    )
    add(
        "--limit",
        type=float,
        default=0.5,
        metavar="P",
        help="per cent more instructions that pass",
    )
    add("--rounds", type=int, default=1, help="of counting")
    add("--starts", type=int, default=5, help="by the clock")
    add("--duration", type=float, default=1.5, help="seconds of each start")
    add("-o", "--output", type=Path, help="the new version's counted record")


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def run(arguments: argparse.Namespace) -> int:
    from wsgibench import outputs
    from wsgibench.commands import _application, _numbers
    from wsgibench.harness.counted import measure
    from wsgibench.load.headers import header_set
    from wsgibench.stats import gate

    _application.refuse_no_name(arguments)
    _numbers.at_least(0, arguments, "limit")
    _numbers.counts(1, arguments, "rounds", "starts")
    _numbers.positive(arguments, "duration")
    outputs.check(arguments.output)
    header_set(arguments.headers)
    if Path(arguments.base).is_file():
        _refuse_beside_a_record(arguments)
        return _against_record(arguments)
    if arguments.only != "timed":
        measure.counter("callgrind")
    counts: list[Difference] = []
    times: list[Timed] = []
    cells = []
    for base, new in _variants(arguments):
        if arguments.only != "timed":
            found = _count(base, new, arguments)
            cells.append(found["new"])
            counts += gate.judge_counted(found, arguments.limit / 100)
        if arguments.only != "counted":
            times.append(_time(base, new, arguments))
    if arguments.output:
        _write(arguments, cells)
    return _end(counts, times)


#: What a record says itself, and what needs a second version to be built.
OF_VERSIONS = (
    *("repository", "app", "path", "server", "python", "scenario"),
    *("headers", "starts", "duration"),
)


def _refuse_beside_a_record(arguments: argparse.Namespace) -> None:
    from wsgibench import cli
    from wsgibench.errors import UsageError

    if arguments.only == "timed":
        raise UsageError(
            "--only timed needs a commit for --base: a record is counted only."
        )
    parser = cli.parser_of("gate", add_arguments)
    for name in OF_VERSIONS:
        if getattr(arguments, name) != parser.get_default(name):
            raise UsageError(
                "--%s goes with a commit for --base; a record says itself "
                "what is counted." % name
            )


def _end(counts: list[Difference], times: list[Timed]) -> int:
    from wsgibench.commands import _differences
    from wsgibench.stats import gate

    if counts:
        print("A is the base, B the new version")
        print(_differences.render(counts))
    if times:
        print(_differences.render_timed(times))
    lost = gate.lost(counts, times)
    for sentence in lost:
        print("lost: " + sentence)
    print("the gate is " + ("missed" if lost else "passed"))
    return int(bool(lost))


def _versions(arguments: argparse.Namespace) -> tuple[Version, Version]:
    from wsgibench.harness import versions

    root = versions.root_of(arguments.repository)
    versions.remove_old()
    return (
        versions.of_revision(root, arguments.base),
        versions.of_working_tree(root),
    )


def _variants(
    arguments: argparse.Namespace,
) -> list[tuple[Variant, Variant]]:
    """(base, new) of every server on every interpreter; both are built
    before anything is measured."""
    from wsgibench.errors import UsageError
    from wsgibench.harness import interpreters, servers
    from wsgibench.harness.selection import split

    base, new = _versions(arguments)
    if not arguments.app and not (base.is_ours and new.is_ours):
        raise UsageError(
            "%s is no checkout of wsgibench; name its application: --app "
            "module:name." % arguments.repository.resolve()
        )
    found = []
    for python in split(arguments.python, "python"):
        interpreter = interpreters.find(python)
        for name in split(arguments.server, "server"):
            server = servers.find(name)
            reason = servers.why_not(server.name, interpreter)
            if reason:
                raise UsageError(reason)
            make = _of_application if arguments.app else _of_ours
            found.append(
                (
                    make("base", base, server, interpreter, arguments),
                    make("new", new, server, interpreter, arguments),
                )
            )
    return found


def _load(arguments: argparse.Namespace) -> Any:
    from wsgibench.harness.plan import Load

    return Load(
        connections=1,
        duration=arguments.duration,
        warmup=0.0,
        keepalive=True,
        headers=arguments.headers,
    )


def _of_ours(
    name: str,
    version: Version,
    server: Any,
    interpreter: Any,
    arguments: argparse.Namespace,
) -> Variant:
    from wsgibench.errors import UsageError
    from wsgibench.harness import scenario, versions
    from wsgibench.harness.counted.targets import Subject
    from wsgibench.harness.variants import Variant

    if server.constants["REQUIRES"] != ["wsgibench"]:
        raise UsageError(
            "%s is not of wsgibench: no version of it differs; --app holds "
            "versions of an application against each other." % server.name
        )
    asked = scenario.find(arguments.scenario)
    if asked.services or asked.requires:
        raise UsageError(
            "the gate has no services and no libraries for %s." % asked.name
        )
    made = versions.environment(version, interpreter, tell)
    subject = Subject(
        server, asked, _load(arguments), made, {}, version.target
    )
    return Variant(name, subject, interpreter)


def _of_application(
    name: str,
    version: Version,
    server: Any,
    interpreter: Any,
    arguments: argparse.Namespace,
) -> Variant:
    import dataclasses
    import os

    from wsgibench.harness.counted.targets import Subject
    from wsgibench.harness.variants import Variant
    from wsgibench.harness.versions import root_of
    from wsgibench.pytesting import server as testing

    own = arguments.python == "python3"
    made = testing.environment(server.name, None if own else interpreter.path)
    # The version's folders come before this interpreter's; folders of the
    # checkout itself must not be found.
    root = str(root_of(arguments.repository))
    here = os.path.relpath(arguments.repository.resolve(), root)
    others = [one for one in made.libraries if not _inside(one, root)]
    libraries = (str(version.tree / here), str(version.tree), *others)
    made = dataclasses.replace(made, libraries=libraries)
    asked = testing.scenario(arguments.app, arguments.path, 200, None)
    subject = Subject(server, asked, _load(arguments), made, {})
    return Variant(name, subject, interpreter)


def _inside(path: str, root: str) -> bool:
    """Below the root, and not an environment that lies there."""
    return path == root or (
        path.startswith(root + "/") and "site-packages" not in path
    )


def _count(
    base: Variant, new: Variant, arguments: argparse.Namespace
) -> dict[str, Any]:
    from wsgibench.harness import variants
    from wsgibench.stats import gate
    from wsgibench.stats.counted import spread

    tell("counting " + new.entry(new.subject.load)["name"])

    def is_doubtful(cells: dict[str, dict[str, Any]]) -> bool:
        doubtful = gate.is_doubtful(cells, arguments.limit / 100)
        if doubtful:
            tell("a loss, or bases that differ: counting once more")
        return doubtful

    return variants.counted(base, new, arguments.rounds, spread, is_doubtful)


def _time(base: Variant, new: Variant, arguments: argparse.Namespace) -> Timed:
    from dataclasses import replace

    from wsgibench.commands import _warmup
    from wsgibench.harness import selection, variants
    from wsgibench.stats import gate, machine, samples

    limits = selection.warmups(
        {"": new.interpreter}, _warmup.LIMIT, _warmup.LIMIT_JIT
    )
    load = replace(_load(arguments), connections=64, settle=limits[""])
    tell("timing " + new.entry(load)["name"])
    cells = variants.timed(
        base,
        new,
        load,
        starts=arguments.starts,
        seed=1,
        spoilt=samples.disturbance,
        run=_warmup.timed_start(),
        tell=tell,
    )
    machine.review({"cells": list(cells.values())})
    return gate.judge_timed(cells)


def _against_record(arguments: argparse.Namespace) -> int:
    """The cells of a counted record, counted again."""
    from wsgibench.errors import UsageError
    from wsgibench.harness import record
    from wsgibench.harness.counted.measure import counter, measurer

    base = record.read(Path(arguments.base), record.COUNTED)
    measure = measurer(counter("callgrind"))
    new = _counted_record(arguments)
    found: list[Difference] = []
    for cell in base["cells"]:
        if cell.get("aa") or not cell["starts"]:
            continue
        entry, differences = _recount(cell, measure, arguments)
        new["cells"].append(entry)
        found += differences
    if arguments.output:
        new["complete"] = True
        record.write(new, arguments.output)
    if not found:
        raise UsageError(_why_nothing(arguments.base, base, new))
    return _end(found, [])


def _recount(
    cell: dict[str, Any], measure: Any, arguments: argparse.Namespace
) -> tuple[dict[str, Any], list[Difference]]:
    """The cell, counted now. A loss stands if each of MORE further rounds has
    it, too: there are no two bases here whose difference tells which rounds
    count (stats.gate.judge_counted)."""
    from wsgibench.harness import interpreters
    from wsgibench.harness.variants import MORE
    from wsgibench.stats import counted, gate

    tell("counting " + cell["name"])
    interpreter = interpreters.find(cell["python"]["name"])
    subject = _again(cell, interpreter, arguments).subject
    what = subject.server, subject.scenario, subject.load, subject.environment
    starts: list[dict[str, Any]] = []
    entry = {**cell, "starts": starts, "python": interpreter.to_json()}

    def differences(last: int) -> list[Difference]:
        one = {**entry, "starts": starts[-last:]}
        return counted.compare(
            {"cells": [cell]}, {"cells": [one]}, arguments.limit / 100
        )

    for number in range(arguments.rounds):
        starts.append(measure(*what, start=number, seed=1))
    judged = differences(arguments.rounds)
    for number in range(arguments.rounds, arguments.rounds + MORE):
        if not gate.lost(judged, []):
            break
        tell("a loss: counting once more")
        starts.append(measure(*what, start=number, seed=1))
        judged = min(judged, differences(1), key=gate.loss)
    return entry, judged


def _why_nothing(name: str, base: dict[str, Any], new: dict[str, Any]) -> str:
    """A record with nothing in common passes no gate."""
    olds, news = (
        sorted({"%(name)s (%(version)s)" % c["python"] for c in r["cells"]})
        for r in (base, new)
    )
    if not news:
        return "%s has no cell that was counted." % name
    return "%s was counted on other interpreters: %s, here %s." % (
        name,
        ", ".join(olds),
        ", ".join(news),
    )


def _again(
    cell: dict[str, Any], interpreter: Any, arguments: argparse.Namespace
) -> Variant:
    """A cell of the record, with what is here now."""
    from dataclasses import fields

    from wsgibench.harness import environments, scenario, servers
    from wsgibench.harness.counted.targets import Subject
    from wsgibench.harness.plan import Load
    from wsgibench.harness.variants import Variant

    known = {field.name for field in fields(Load)}
    asked = {k: v for k, v in cell["load"].items() if k in known}
    server = servers.find(cell["server"])
    made = environments.get(interpreter, server.name, tell)
    subject = Subject(
        server, scenario.find(cell["scenario"]), Load(**asked), made, {}
    )
    return Variant("new", subject, interpreter)


def _counted_record(arguments: argparse.Namespace) -> dict[str, Any]:
    from wsgibench.harness import machine, record

    made = record.new(sys.argv[1:], 1, machine.describe())
    made["kind"] = "counted"
    made["skipped"] = []
    made["starts"] = arguments.rounds
    return made


def _write(arguments: argparse.Namespace, cells: list[Any]) -> None:
    from wsgibench.harness import record

    made = _counted_record(arguments)
    made["cells"] = cells
    made["complete"] = True
    record.write(made, arguments.output)

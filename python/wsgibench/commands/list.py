"""``python -m wsgibench list``: what there is, and the holes with reasons."""

from __future__ import annotations

import argparse
import json
import shutil
import textwrap
from typing import Any

from wsgibench import runtimes

HELP = "list servers, interpreters, scenarios, services and suites"

Rows = list[dict[str, Any]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--all",
        action="store_true",
        help="what each is, where it runs, and why not (default: the names)",
    )
    form.add_argument(
        "--json",
        action="store_true",
        help="everything as JSON (default: for people)",
    )
    form.add_argument(
        "--markdown",
        action="store_true",
        help="each server's settings, as docs/servers.md has them "
        "(default: not)",
    )


def _servers(interpreters: list[Any]) -> Rows:
    from wsgibench import native, plugins
    from wsgibench.errors import WsgibenchError
    from wsgibench.harness import servers

    try:
        built = native.binding().VERSIONS
    except WsgibenchError as error:
        built = "not built: %s" % error
    rows = []
    for name in plugins.names(servers.FOLDER):
        constants = servers.constants(name)
        here = {i.label: servers.why_not(name, i) for i in interpreters}
        row = {
            "name": name,
            "about": constants["__doc__"].split("\n")[0],
            "requires": constants["REQUIRES"] + constants.get("ALONE", []),
            "packages": constants.get("PACKAGES", []),
            "interpreters": servers.interpreters_text(name),
            "speaks": constants.get("SPEAKS", ["wsgi"]),
            "settings": constants["SETTINGS"],
            "options": constants.get("OPTIONS", {}),
            "best": constants["BEST"],
            "runs": {label: not reason for label, reason in here.items()},
            "holes": {label: why for label, why in here.items() if why},
        }
        if "wsgibench" in constants["REQUIRES"]:
            row["here"] = built
        if "INSTALL" in constants:
            row["install"] = constants["INSTALL"]
        rows.append(row)
    return rows


def _scenarios() -> Rows:
    from wsgibench.harness import scenario

    found = []
    for name in scenario.rows():
        one = scenario.find(name)
        found.append(
            {
                "name": name,
                "about": one.about,
                "services": one.services,
                "requires": one.requires,
                "speaks": one.speaks,
            }
        )
    return found


def _services() -> Rows:
    from wsgibench import plugins

    found = []
    for name in plugins.names("services"):
        module = plugins.load("services", name, "service")
        found.append(
            {"name": name, "about": module.HELP, "missing": module.missing()}
        )
    return found


def _suites() -> Rows:
    from wsgibench.harness import suite

    return [
        {"name": name, "about": suite.read(name).about}
        for name in suite.names()
    ]


def collect() -> dict[str, Rows]:
    from wsgibench.harness import interpreters

    found = interpreters.discover()
    return {
        "servers": _servers(found),
        "interpreters": [dict(i.to_json(), name=i.name) for i in found],
        "scenarios": _scenarios(),
        "services": _services(),
        "suites": _suites(),
    }


def _pair(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "%s %s" % (name.replace("_", "-"), "on" if value else "off")
    return "`%s=%s`" % (name, value)


def _pairs(settings: dict[str, Any]) -> str:
    return ", ".join(_pair(*item) for item in settings.items())


def markdown() -> str:
    """A table of the settings each server is raced with. It says the same on
    every machine."""
    from wsgibench import plugins
    from wsgibench.harness import servers

    lines = [
        "| server | what it is | runs on | in force | may be set (default) "
        "| what its documentation recommends |",
        "|---|---|---|---|---|---|",
    ]
    for name in plugins.names(servers.FOLDER):
        constants = servers.constants(name)
        cells = [
            "`%s`" % name,
            constants["__doc__"].split("\n")[0].rstrip("."),
            servers.interpreters_text(name),
            _pairs(constants["SETTINGS"]),
            _pairs(constants.get("OPTIONS", {})),
            constants["BEST"],
        ]
        lines.append("| %s |" % " | ".join(cells))
    return "\n".join(lines)


def _print_servers(rows: Rows, labels: list[str]) -> None:
    print("servers (x: runs there)")
    head = " ".join(_short(label) for label in labels)
    print("  %-26s %s" % ("", head))
    for row in rows:
        marks = " ".join(
            ("x" if row["runs"][label] else ".").center(len(_short(label)))
            for label in labels
        )
        print("  %-26s %s  %s" % (row["name"], marks, row["about"]))
    print("holes")
    for row in rows:
        reasons: dict[str, list[str]] = {}
        for label, why in row["holes"].items():
            reasons.setdefault(why, []).append(_short(label))
        for why, where in reasons.items():
            print("  %-26s %s (%s)" % (row["name"], why, ", ".join(where)))
        if "install" in row:
            print("  %-26s %s." % (row["name"], row["install"]))
        if str(row.get("here", "")).startswith("not built"):
            print("  %-26s %s" % (row["name"], row["here"]))


def _short(label: str) -> str:
    implementation, version = label.split()
    short = ".".join(version.split(".")[:2])
    return short if implementation == "CPython" else "pp" + short


def _names(title: str, names: list[str], width: int) -> list[str]:
    """Wrapped, behind a title."""
    text = ", ".join(names) or "none"
    return textwrap.wrap(
        text,
        width,
        initial_indent="%-13s" % title,
        subsequent_indent=" " * 13,
        break_on_hyphens=False,
    )


def _print_names(found: dict[str, Rows], width: int) -> None:
    """What fits a screen."""
    here: list[str] = []
    nowhere: list[str] = []
    for row in found["servers"]:
        where = any(row["runs"].values())
        (here if where else nowhere).append(row["name"])
    pythons = [
        row["name"]
        if row["version"].startswith(row["name"])  # 3.12 of 3.12.1
        else "%(name)s (%(version)s)" % row
        for row in found["interpreters"]
    ]
    lines = _names("servers", here, width)
    if nowhere:
        lines += _names("not here", nowhere, width)
    lines += _names("interpreters", pythons, width)
    for key in ("scenarios", "services", "suites"):
        lines += _names(key, [row["name"] for row in found[key]], width)
    lines.append("--all tells what each is, where it runs, and why not.")
    print("\n".join(lines))


def run(arguments: argparse.Namespace) -> int:
    if arguments.markdown:
        print(markdown())
        return 0
    found = collect()
    if arguments.json:
        print(json.dumps(found, indent=2))
        return 0
    if not arguments.all:
        _print_names(found, min(100, shutil.get_terminal_size().columns))
        return 0
    _print_all(found)
    return 0


def _print_all(found: dict[str, Rows]) -> None:
    labels = [runtimes.name(one) for one in found["interpreters"]]
    _print_servers(found["servers"], labels)
    print("interpreters")
    for row in found["interpreters"]:
        about = (row["name"], runtimes.name(row), row["path"])
        print("  %-26s %s  %s" % about)
    print("scenarios (NAME+flask, NAME+werkzeug: in that framework)")
    for row in found["scenarios"]:
        needs = ", ".join(row["services"])
        print(
            "  %-26s %s%s"
            % (row["name"], row["about"], needs and " [%s]" % needs)
        )
    print("services")
    for row in found["services"]:
        missing = row["missing"] and " - " + row["missing"]
        print("  %-26s %s%s" % (row["name"], row["about"], missing))
    print("suites")
    for row in found["suites"]:
        print("  %-26s %s" % (row["name"], row["about"]))

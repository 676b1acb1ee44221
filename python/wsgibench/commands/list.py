"""``python -m wsgibench list``: what there is."""

from __future__ import annotations

import argparse
import json
from typing import Any

HELP = "list servers, interpreters and scenarios"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true")


def collect() -> dict[str, list[dict[str, Any]]]:
    from wsgibench import native, plugins
    from wsgibench.errors import WsgibenchError
    from wsgibench.harness import interpreters

    try:
        built = native.binding().VERSIONS
    except WsgibenchError as error:
        built = "not built: %s" % error
    servers = []
    for name in plugins.names("guest/servers"):
        constants = plugins.constants("guest/servers", name)
        servers.append(
            {
                "name": name,
                "about": constants["__doc__"],
                "requires": constants["REQUIRES"],
                "interpreters": constants["INTERPRETERS"],
                "settings": constants["SETTINGS"],
                "here": built if "wsgibench" in constants["REQUIRES"] else "",
            }
        )
    scenarios = []
    for name in plugins.names("scenarios"):
        module = plugins.load("scenarios", name, "scenario")
        scenarios.append({"name": name, "about": module.HELP})
    return {
        "servers": servers,
        "interpreters": [
            dict(found.to_json(), name=found.name)
            for found in interpreters.discover()
        ],
        "scenarios": scenarios,
        "services": [{"name": n} for n in plugins.names("services")],
    }


def run(arguments: argparse.Namespace) -> int:
    found = collect()
    if arguments.json:
        print(json.dumps(found, indent=2))
        return 0
    print("servers")
    for server in found["servers"]:
        about = server["about"].split("\n")[0]
        print("  %-16s %s" % (server["name"], about))
        here = " - " + server["here"] if server["here"] else ""
        print("  %-16s   %s%s" % ("", server["interpreters"], here))
    print("interpreters")
    for interpreter in found["interpreters"]:
        print(
            "  %(name)-16s %(implementation)s %(version)s  %(path)s"
            % interpreter
        )
    print("scenarios")
    for scenario in found["scenarios"]:
        print("  %(name)-16s %(about)s" % scenario)
    return 0

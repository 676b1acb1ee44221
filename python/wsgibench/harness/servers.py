"""Servers by name, and which pairs of them with others can exist.

``c-uv:threads=16`` is the server c-uv with one of its OPTIONS set. Constants
are read without importing: targets are written for other interpreters.
"""

from __future__ import annotations

import functools
import re
import shutil
from dataclasses import dataclass, field
from typing import Any

from wsgibench import plugins
from wsgibench.errors import UsageError
from wsgibench.harness.interpreters import Interpreter
from wsgibench.harness.scenario import Scenario

FOLDER = "target/servers"
#: Of an option: no server takes more, of anything.
NUMBER = re.compile("[0-9]{1,9}")


@dataclass(frozen=True)
class Server:
    text: str  # as the user wrote it
    name: str
    options: dict[str, Any] = field(hash=False)

    @property
    def constants(self) -> dict[str, Any]:
        return constants(self.name)

    @property
    def speaks(self) -> list[str]:
        """wsgi, page (one canned page), raw (the page by hand on a socket),
        task and split (work that it spreads in ways of its own)."""
        spoken: list[str] = self.constants.get("SPEAKS", ["wsgi"])
        return spoken

    @property
    def inherits(self) -> bool:
        capabilities = self.constants.get("CAPABILITIES", {})
        return bool(capabilities.get("inherited_fd", True))


@functools.cache
def constants(name: str) -> dict[str, Any]:
    return plugins.constants(FOLDER, name)


def find(text: str) -> Server:
    name, colon, rest = text.partition(":")
    plugins.check(FOLDER, name, "server")
    known = constants(name).get("OPTIONS", {})
    options: dict[str, Any] = {}
    for part in rest.split(":") if colon else ():
        key, _, value = part.partition("=")
        if key not in known:
            raise UsageError(
                "%s has no option %r; it has: %s."
                % (name, key, ", ".join(known) or "none")
            )
        if not NUMBER.fullmatch(value):
            raise UsageError(
                "%s of %s is a number, not %r: up to nine digits."
                % (key, name, value[:60])
            )
        if key in options:
            raise UsageError("%r gives %s twice." % (text, key))
        options[key] = int(value)
    return Server(text, name, options)


def supports(name: str, implementation: str, version: str) -> bool:
    from packaging.specifiers import SpecifierSet

    known = constants(name)["INTERPRETERS"]
    holes = constants(name).get("HOLES", {})
    specifier = known.get(implementation)
    if implementation == "Stackless" and not {*known, *holes} & {"Stackless"}:
        specifier = known.get("CPython")  # what runs there runs here
    return specifier is not None and SpecifierSet(specifier).contains(
        version, prereleases=True
    )


def why_not(name: str, interpreter: Interpreter) -> str:
    """A sentence if this server cannot run there; "" if it can."""
    implementation = interpreter.implementation
    if supports(name, implementation, interpreter.version):
        program = constants(name).get("PROGRAM")
        if program and not shutil.which(program):
            return "%s is not on the PATH; install the package %s." % (
                program,
                " ".join(constants(name)["PACKAGES"]),
            )
        return ""
    reason = constants(name).get("HOLES", {}).get(implementation)
    if reason is None:
        reason = "%s runs on %s" % (name, interpreters_text(name))
    return "%s." % reason


def interpreters_text(name: str) -> str:
    return ", ".join(
        "%s %s" % (implementation, specifier.replace(",", ", "))
        for implementation, specifier in constants(name)[
            "INTERPRETERS"
        ].items()
    )


def why_not_scenario(server: Server, scenario: Scenario) -> str:
    """The same for a server and a scenario."""
    speaks = set(server.speaks)
    if scenario.framework != "wsgi":
        if "wsgi" in speaks:
            return ""
        return "%s runs no WSGI application, so no %s." % (
            server.name,
            scenario.framework,
        )
    if speaks & set(scenario.speaks):
        return ""
    if scenario.speaks == ("raw",):
        return "%s is for servers that speak HTTP by hand." % scenario.name
    if speaks == {"split"}:
        return "the work of %s is not cut into steps." % scenario.name
    if "wsgi" not in speaks:
        return "%s answers a fixed page; it runs no application." % server.name
    return "%s runs on servers that speak %s." % (
        scenario.name,
        " or ".join(scenario.speaks),
    )

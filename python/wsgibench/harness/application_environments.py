"""Where a server finds an application of the user's own: the packages it
needs, in an environment for each interpreter or in the user's."""

from __future__ import annotations

import dataclasses
import platform
import re
import sys

from wsgibench.harness import environments, install, servers
from wsgibench.harness.application import Application
from wsgibench.harness.environments import Environment, Tell
from wsgibench.harness.interpreters import Interpreter


def without_server(
    application: Application, interpreter: Interpreter, tell: Tell
) -> Environment:
    """The application's own environment: its interpreter runs --setup."""
    if application.venv:
        python = application.venv + "/bin/python"
        folders, versions = install.installed(python)
        return Environment(python, versions, (), folders)
    if application.install:
        return environments.of_application(
            interpreter, application.install, tell
        )
    if _is_ours(interpreter):
        # Nothing was named: what this very environment has will do.
        folders, versions = install.installed(sys.executable)
        return Environment(sys.executable, versions, (), folders)
    return environments.get(interpreter, "wsgiref", tell)


def _is_ours(interpreter: Interpreter) -> bool:
    return (
        interpreter.implementation == platform.python_implementation()
        and interpreter.version == platform.python_version()
    )


def with_server(
    application: Application,
    own: Environment,
    interpreter: Interpreter,
    server: str,
    tell: Tell,
) -> Environment:
    """The server's environment, which looks into the application's; or the
    user's --venv if the server is in it."""
    if application.venv and _has(own, server):
        return own
    made = environments.get(interpreter, server, tell)
    return dataclasses.replace(
        made,
        versions={**own.versions, **made.versions},
        sites=own.sites,
    )


def _has(own: Environment, server: str) -> bool:
    required = servers.constants(server)["REQUIRES"]
    names = [re.split(r"[^\w.-]", text)[0].lower() for text in required]
    return bool(names) and set(names) <= set(own.versions)

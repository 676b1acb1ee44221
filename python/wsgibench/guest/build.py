"""From a task's names to the application and its work."""

from __future__ import absolute_import

import importlib
import sys

from work import Work


def module_name(name):
    return name.replace("-", "_")


def extend_path(task):
    for folder in task.get("libraries", ()):
        if folder not in sys.path:
            # Behind the server's own packages: theirs are the right ones.
            sys.path.append(folder)


def work(task):
    """The work of the task's application, told where its services are."""
    extend_path(task)
    module = importlib.import_module("apps." + module_name(task["app"]))
    if hasattr(module, "setup"):
        module.setup(task.get("services") or {})
    return module, Work(module)


def foreign(task):
    """An application that is not of ours: module:name."""
    extend_path(task)
    module, _, name = task["app"].partition(":")
    found = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


def application(task):
    if ":" in task["app"]:
        return foreign(task)
    module, made = work(task)
    framework = task.get("framework") or "wsgi"
    if framework == "wsgi" and hasattr(module, "application"):
        return module.application
    adapter = importlib.import_module("frameworks." + module_name(framework))
    return adapter.wrap(made)

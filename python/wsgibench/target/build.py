"""From a task's names to the application and its work."""

from __future__ import absolute_import

import importlib
import os
import site
import sys

from wsgibench_target.reference import parsed
from wsgibench_target.work import Work


def module_name(name):
    return name.replace("-", "_")


def extend_path(task):
    for folder in task.get("libraries", ()):
        if folder not in sys.path:
            # Behind the server's own packages: theirs are the right ones.
            sys.path.append(folder)
    for folder in task.get("sites", ()):
        if folder not in sys.path:
            site.addsitedir(folder)


def work(task):
    """The work of the task's application, told where its services are."""
    extend_path(task)
    module = importlib.import_module("wsgibench_target.apps." + module_name(task["app"]))
    if hasattr(module, "setup"):
        module.setup(task.get("services") or {})
    return module, Work(module)


def foreign(task):
    """An application that is not of ours: module:name, module:factory()."""
    extend_path(task)
    if task.get("chdir"):
        os.chdir(task["chdir"])
        sys.path.insert(0, task["chdir"])
    return named(task["app"])


def named(text):
    """What ``module:name`` means; of a call, what it gives."""
    module, name, call = parsed(text)
    found = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    if call is None:
        return found
    args, kwargs = call
    return found(*args, **kwargs)


def application(task):
    if ":" in task["app"]:
        return foreign(task)
    module, made = work(task)
    framework = task.get("framework") or "wsgi"
    if framework == "wsgi" and hasattr(module, "application"):
        return module.application
    adapter = importlib.import_module("wsgibench_target.frameworks." + module_name(framework))
    return adapter.wrap(made)

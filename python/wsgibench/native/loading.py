"""``module:app``, ``module:create_app()`` or, with a factory,
``module:create_app`` as an application."""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import sys
from typing import Any

from wsgibench.errors import UsageError, WsgibenchError
from wsgibench.native.contract import Application
from wsgibench.native.log import logger


def _import(module_name: str, directory: str) -> Any:
    try:
        directory = os.path.abspath(directory)
    except FileNotFoundError as error:
        raise WsgibenchError(
            "the current directory was deleted; start in one that exists, or "
            "name it: --chdir."
        ) from error
    if directory not in sys.path:
        sys.path.insert(0, directory)
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name != module_name.split(".")[0]:
            raise WsgibenchError(
                "importing %s failed: %s." % (module_name, error)
            ) from error
        raise UsageError(
            "there is no module %r in %s or on the import path."
            % (module_name, directory)
        ) from error
    except KeyboardInterrupt:
        raise  # the user's
    except BaseException as error:
        raise _failure("importing %s failed" % module_name, error) from error


def _failure(what: str, error: BaseException) -> WsgibenchError:
    logger.error("%s", what, exc_info=True)
    kind, words = type(error).__name__, str(error)
    reason = "%s: %s" % (kind, words) if words else kind
    return WsgibenchError("%s: %s." % (what, reason))


def _parse_call(path: str) -> tuple[str, list[Any], dict[str, Any]] | None:
    """``create_app("x", debug=True)``: its name and literal arguments."""
    if not path.endswith(")"):
        return None
    try:
        call = ast.parse(path, mode="eval").body
        if not isinstance(call, ast.Call):
            raise ValueError
        arguments = [ast.literal_eval(argument) for argument in call.args]
        keywords = {
            str(keyword.arg): ast.literal_eval(keyword.value)
            for keyword in call.keywords
            if keyword.arg is not None
        }
    except (SyntaxError, ValueError) as error:
        raise UsageError(
            "%r is not a call with literal arguments." % path
        ) from error
    return path.partition("(")[0].strip(), arguments, keywords


def _wants_no_arguments(function: Any) -> bool:
    """A factory, where an application was asked for: it would answer 500 to
    everything."""
    try:
        # A decorator that copies the name of what it wraps calls it otherwise.
        signature = inspect.signature(function, follow_wrapped=False)
    except (TypeError, ValueError):
        return False  # of C: who knows
    try:
        signature.bind({}, None)
    except TypeError:
        return True
    return False


def _is_asynchronous(app: Any) -> bool:
    return inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(
        getattr(type(app), "__call__", None)  # noqa: B004
    )


def load_app(
    text: str, directory: str = ".", factory: bool = False
) -> Application:
    module_name, colon, path = text.partition(":")
    # importlib takes a first dot for a relative import, of which package?
    wrong = "" in module_name.split(".") or "\0" in text
    if wrong and "/" not in module_name or (colon and not path):
        raise UsageError("%r is not an application like module:app." % text)
    if "/" in module_name or os.path.isfile(module_name):
        raise UsageError(
            "%s is a file; the application is a module, like %s:%s."
            % (
                module_name,
                os.path.basename(module_name).partition(".")[0] or "module",
                path or "application",
            )
        )
    call = _parse_call(path)
    name = call[0] if call else path or "application"
    found = _import(module_name, directory)
    for part in name.split("."):
        if not hasattr(found, part):
            raise UsageError("%s has no attribute %r." % (module_name, name))
        found = getattr(found, part)
    if call is None and factory:
        call = (name, [], {})
    if call is not None:
        try:
            found = found(*call[1], **call[2])
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise _failure("%s failed" % text, error) from error
    if not callable(found):
        raise UsageError("%s is not callable." % text)
    if _is_asynchronous(found):
        raise UsageError("%s is ASGI; this server speaks WSGI." % text)
    if _wants_no_arguments(found):
        raise UsageError(
            "%s does not take (environ, start_response); if it makes the "
            "application, use --factory or %s:%s()."
            % (text, module_name, name)
        )
    return found  # type: ignore[no-any-return]

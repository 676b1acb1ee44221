"""How an application or a function is named: module:name, or a call of it."""

from __future__ import absolute_import

import ast


def parsed(text):
    """(module, dotted name, None or the (args, kwargs) of a call) of
    ``module:name``, ``module:factory()`` or ``module:factory("a", b=1)``, as
    gunicorn takes it; ValueError for anything else."""
    module, _, rest = text.partition(":")
    try:
        node = ast.parse(rest.strip(), mode="eval").body
        call = None
        if isinstance(node, ast.Call):
            if None in [one.arg for one in node.keywords]:
                raise ValueError("** is no argument")
            call = (
                [ast.literal_eval(one) for one in node.args],
                dict((k.arg, ast.literal_eval(k.value)) for k in node.keywords),
            )
            node = node.func
    except SyntaxError:
        raise ValueError("no Python")
    names = []
    while isinstance(node, ast.Attribute):
        names.insert(0, node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or not module:
        raise ValueError("no name")
    return module, ".".join([node.id] + names), call

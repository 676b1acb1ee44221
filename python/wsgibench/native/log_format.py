"""The format of the access log, in gunicorn's atoms.

The core compiles and applies it (log_format.c); this says what is wrong with
one, in a sentence.
"""

from __future__ import annotations

import re

from wsgibench.errors import UsageError

NAMED = ("common", "combined", "json")
ATOMS = "hlutrmUqHsBbfaTDMLp"
#: Of the environ the core knows what came over the wire.
KNOWN = re.compile(
    r"(REMOTE_ADDR|REQUEST_METHOD|PATH_INFO|QUERY_STRING|SERVER_PROTOCOL"
    r"|CONTENT_TYPE|CONTENT_LENGTH|HTTP_\w+|SSL_\w+)\Z"
)
PERCENT = re.compile(
    r"%(?:(?P<percent>%)"
    r"|\((?:(?P<atom>[^{)]*)|\{(?P<name>[^}]*)\}(?P<kind>[^)]*))\)"
    r"(?P<conversion>.?)|(?P<rest>.?))",
    re.DOTALL,
)


def check(text: str) -> str:
    """The format; UsageError if the core would not take it."""
    if text in NAMED:
        return text
    if "\n" in text or "\0" in text:
        raise UsageError("the format of the access log is one line.")
    if "%" not in text:
        raise UsageError(
            "the format of the access log is %s or a text with atoms like "
            "%%(h)s, not %r." % (", ".join(NAMED), text)
        )
    for found in PERCENT.finditer(text):
        if found["percent"] is None:
            _check_atom(found)
    return text


def _check_atom(found: re.Match[str]) -> None:
    atom, name, kind = found["atom"], found["name"], found["kind"]
    if found["rest"] is not None or found["conversion"] not in ("s", "d"):
        raise UsageError(
            "the format of the access log: %r is no atom like %%(h)s; a "
            "percent sign itself is %%%%." % found[0]
        )
    if atom is not None and (len(atom) != 1 or atom not in ATOMS):
        raise UsageError(
            "the format of the access log: there is no atom %s; there are %s "
            "and %%({name}i)s, %%({name}o)s, %%({name}e)s."
            % (found[0], ", ".join("%%(%s)s" % letter for letter in ATOMS))
        )
    if name is None:
        return
    if kind not in ("i", "o", "e") or not name:
        raise UsageError(
            "the format of the access log: %s is not %%({name}i)s (request "
            "header), %%({name}o)s (response header) or %%({name}e)s "
            "(environ)." % found[0]
        )
    if kind == "e" and not KNOWN.match(name):
        raise UsageError(
            "the format of the access log: %s: the log is written below "
            "Python, and of the environ it knows only what came over the "
            "wire (REMOTE_ADDR, HTTP_..., SSL_... and their like)." % found[0]
        )

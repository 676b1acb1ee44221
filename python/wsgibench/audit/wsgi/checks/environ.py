"""environ: PEP 3333 "environ Variables"."""

import ipaddress
import json

from wsgibench.audit.wire.responses import Response
from wsgibench.audit.wsgi.check import Ask, Check, Notes, Want

RULE = "PEP 3333 environ"
REQUIRED = {
    "REQUEST_METHOD": "GET",
    "SCRIPT_NAME": "",
    "PATH_INFO": "/wsgi/environ_types",
    "QUERY_STRING": "a=%31",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "HTTP_HOST": "localhost",
    "HTTP_X_AUDIT": "1",
}
TYPED = ("wsgi.input", "wsgi.errors", "wsgi.multithread", "wsgi.run_once")


def is_dict(answer: Response, notes: Notes) -> str:
    return "" if json.loads(answer.body)["dict"] else "no builtin dict"


def required(answer: Response, notes: Notes) -> str:
    seen = json.loads(answer.body)
    for name, value in REQUIRED.items():
        if seen["cgi"].get(name) != value:
            return "%s is %r, not %r" % (name, seen["cgi"].get(name), value)
    for name in ("SERVER_NAME", "SERVER_PORT"):
        if not seen["cgi"].get(name):
            return "%s is missing or empty" % name
    missing = [name for name in TYPED if name not in seen["kinds"]]
    return "%s is missing" % missing[0] if missing else ""


def latin_1(answer: Response, notes: Notes) -> str:
    bad = json.loads(answer.body)["bad"]
    return "%s is no latin-1 str" % bad[0] if bad else ""


def version(answer: Response, notes: Notes) -> str:
    seen = json.loads(answer.body)
    if seen["kinds"]["wsgi.version"] != "tuple" or seen["version"] != [1, 0]:
        return "wsgi.version is %r" % seen["version"]
    return "" if seen["scheme"] == "http" else "scheme %r" % seen["scheme"]


def callable_wrapper(answer: Response, notes: Notes) -> str:
    kind = json.loads(answer.body)["kinds"].get("wsgi.file_wrapper")
    return "wsgi.file_wrapper is None" if kind == "NoneType" else ""


def address(answer: Response, notes: Notes) -> str:
    """A client of a unix socket has none."""
    found = json.loads(answer.body)["cgi"].get("REMOTE_ADDR", "")
    try:
        if found:
            ipaddress.ip_address(found)
    except ValueError:
        return "REMOTE_ADDR is %r" % found
    return ""


def no_prefix(answer: Response, notes: Notes) -> str:
    cgi = json.loads(answer.body)["cgi"]
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if "HTTP_" + name in cgi:
            return "HTTP_%s beside %s" % (name, name)
    if cgi.get("CONTENT_LENGTH") != "3" or cgi.get("CONTENT_TYPE") != "a/b":
        return "CONTENT_LENGTH or CONTENT_TYPE is missing"
    return ""


TYPES = Ask("environ_types", "a=%31", fields=("X-Audit: 1",))
FORWARDED = Ask("environ_types", fields=("X-Forwarded-Proto: https",))
CHECKS = [
    Check("builtin-dict", RULE, "must", TYPES, Want(also=is_dict)),
    Check("required", RULE, "must", TYPES, Want(also=required)),
    Check("latin-1-text", RULE, "must", TYPES, Want(also=latin_1)),
    Check("version", RULE, "must", TYPES, Want(also=version)),
    # The PEP's own example calls what is there.
    Check(
        "file-wrapper",
        "PEP 3333 file handling",
        "must",
        TYPES,
        Want(also=callable_wrapper),
    ),
    Check("remote-addr", "3875 4.1.8", "should", TYPES, Want(also=address)),
    # Any client can say so; gunicorn believes those on its own machine.
    Check("forwarded-proto", RULE, "robust", FORWARDED, Want(also=version)),
    Check(
        "type-and-length",
        RULE,
        "must",
        Ask(
            "environ_types",
            method="POST",
            body=b"abc",
            fields=("Content-Type: a/b",),
        ),
        Want(also=no_prefix),
    ),
    Check(
        "fresh",
        RULE,
        "must",
        [Ask("environ_changed", fields=("X-Audit: 1",))] * 2,
        Want(notes=[["", "1", "/wsgi/environ_changed"]] * 2),
    ),
    Check(
        "cleared",
        RULE,
        "must",
        [Ask("environ_cleared")] * 2,
        Want(notes=[[True, True]] * 2),
    ),
    *[
        Check(
            "validated-" + name,
            "wsgiref.validate",
            "must",
            Ask(
                "validated/" + app,
                "a=1",
                method=method,
                body=body,
                version=version_,
            ),
            Want(goes_on=version_ == "1.1" or None),
        )
        for name, app, method, body, version_ in (
            ("get", "hello", "GET", b"", "1.1"),
            ("post", "read_all", "POST", b"abc", "1.1"),
            ("1.0", "hello", "GET", b"", "1.0"),
        )
    ],
]

"""What the environ has, and what an application does to it."""

from __future__ import absolute_import

from wsgibench_audit.behaviours.kit import answer, note, plain


def environ_types(environ, start_response):
    kinds = dict((key, type(environ[key]).__name__) for key in environ)
    bad = []
    for key in environ:
        if key.isupper():
            value = environ[key]
            text = type(value) is str
            if not text or any(ord(c) > 255 for c in value):
                bad.append(key)
    return answer(
        start_response,
        {
            "dict": type(environ) is dict,
            "kinds": kinds,
            "version": list(environ["wsgi.version"]),
            "scheme": environ["wsgi.url_scheme"],
            "bad": bad,
            "cgi": dict((k, environ[k]) for k in environ if k.isupper()),
            "flags": [
                bool(environ["wsgi.multithread"]),
                bool(environ["wsgi.multiprocess"]),
                bool(environ["wsgi.run_once"]),
            ],
        },
    )


def environ_changed(environ, start_response):
    found = [
        environ.get("audit.mark", ""),
        environ.get("HTTP_X_AUDIT", ""),
        environ.get("PATH_INFO", ""),
    ]
    environ["audit.mark"] = "left behind"
    environ["HTTP_X_AUDIT"] = "changed"
    environ.pop("HTTP_HOST", None)
    note(*found)
    return plain(start_response, b"changed")


def environ_cleared(environ, start_response):
    note("HTTP_HOST" in environ, "wsgi.input" in environ)
    environ.clear()
    return plain(start_response, b"cleared")

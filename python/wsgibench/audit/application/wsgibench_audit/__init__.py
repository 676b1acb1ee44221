"""The application that an audited server has to serve.

    gunicorn --chdir FOLDER wsgibench_audit:application

/wsgi/NAME calls behaviours.NAME; /calls tells how often the application was
called; every other path answers with what the server made of the request
(seen.py). Runs in the interpreter under test: standard library only, Python
2.7 and 3.
"""

from __future__ import absolute_import

from wsgibench_audit import behaviours, seen


def application(environ, start_response):
    path = environ.get("PATH_INFO", "")
    if path.startswith("/wsgi/"):
        return behaviours.call(path[6:], environ, start_response)
    return seen.application(environ, start_response)

"""The 40-byte page, with a line for every request to standard error.

Standard error went to /dev/null in the benchmark that this repeats; here it
is the log that a dying server writes its last words to, so the lines go to
/dev/null by themselves, unbuffered as standard error is.
"""

import os

from wsgibench_target.apps.hello import PAGE, task  # noqa: F401

_log = open(os.devnull, "wb", 0)


def application(environ, start_response):
    line = "info: connection from %s\n" % environ.get("REMOTE_ADDR")
    _log.write(line.encode("latin-1"))
    start_response(
        "200 OK",
        [("Content-Type", "text/html"), ("Content-Length", str(len(PAGE)))],
    )
    return [PAGE]

"""A user's function in the application's own interpreter.

usage: python sessions.py TASK FUNCTION URL VISITORS OUT

FUNCTION is module:name. It is called with the URL of the running server and a
number of visitors, and returns a dict (or list of pairs) of headers for each;
what it returned is written to the file OUT as JSON.
"""

from __future__ import absolute_import

import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from wsgibench_target import build  # noqa: E402


def iterable(found):
    if isinstance(found, (str, bytes)) or not hasattr(found, "__iter__"):
        raise TypeError("not a list of dicts of headers: %.60r" % (found,))
    return found


def main(argv):
    task = json.loads(argv[1])
    build.extend_path(task)
    os.chdir(task["chdir"])
    sys.path.insert(0, task["chdir"])
    made = []
    for one in iterable(build.named(argv[2])(argv[3], int(argv[4]))):
        pairs = one.items() if hasattr(one, "items") else iterable(one)
        made.append([[str(name), str(value)] for name, value in pairs])
    with open(argv[5], "w") as out:
        json.dump(made, out)


if __name__ == "__main__":
    main(sys.argv)

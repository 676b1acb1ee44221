"""A small JSON object, dumped anew for every request."""

import json

CONTENT_TYPE = "application/json"


def task():
    return json.dumps({"message": "helowrld"}).encode("ascii")

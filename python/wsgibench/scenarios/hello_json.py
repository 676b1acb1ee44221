"""What framewut calls hello: a small JSON object."""

from __future__ import annotations

HELP = "a small JSON object, dumped for every request"
APP = "hello_json"
BODY = b'{"message": "helowrld"}'

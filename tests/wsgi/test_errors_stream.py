"""wsgi.errors: PEP 3333 "Input and Error Streams"."""

from __future__ import annotations

from typing import Any

from tests.wsgi.app import plain
from tests.wsgi.client import Client


def complain(environ: dict[str, Any], start_response: Any) -> Any:
    errors = environ["wsgi.errors"]
    errors.write("written-text\n")
    errors.writelines(["first-of-lines\n", "second-of-lines\n"])
    print("printed-text", file=errors)
    errors.flush()
    return plain(start_response, b"ok")


def unusual(environ: dict[str, Any], start_response: Any) -> Any:
    errors = environ["wsgi.errors"]
    errors.write("caf\xe9 \u20ac\n")
    errors.flush()
    return plain(start_response, b"ok")


def test_text_reaches_the_log(client: Client) -> None:
    assert client.ask(complain).body == b"ok"
    text = client.log_text()
    for expected in ("written-text", "second-of-lines", "printed-text"):
        assert expected in text


def test_letters_beyond_ascii(client: Client) -> None:
    assert client.once(unusual).status in (200, 500)
    assert client.ask(complain).body == b"ok"

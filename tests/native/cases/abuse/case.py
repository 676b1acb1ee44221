"""A case: an application, and what must come of it."""

from __future__ import annotations

from typing import Any, Callable

App = Callable[[dict[str, Any], Any], Any]
#: What must come: these bytes, or a 500, or an answer that breaks off; ANY:
#: any of them, for it depends on who comes first.
FAILS, CUT, ANY = "a 500", "cut off", "any"
#: name -> (application, what must come, the request's body)
CASES: dict[str, tuple[App, Any, bytes]] = {}


def case(expected: Any, body: bytes = b"") -> Callable[[App], App]:
    def add(app: App) -> App:
        CASES[app.__name__] = (app, expected, body)
        return app

    return add


def returns(name: str, expected: Any, make: Callable[[], Any]) -> None:
    """The application starts a response and returns what make() makes."""

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [])
        return make()

    CASES[name] = (app, expected, b"")


def start(start_response: Any) -> Any:
    return start_response("200 OK", [])

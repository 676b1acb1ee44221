"""FastUser: a user of Locust's that is a connection of the C generator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from gevent.event import Event
from locust import User
from locust.user.users import LOCUST_STATE_WAITING

from wsgibench.errors import UsageError
from wsgibench.load import limits
from wsgibench.load.spec import Entry, LoadSpec
from wsgibench.locust import loads

OWN_DESCRIPTORS = 64
MOST_USERS = 1 << 20
#: Nothing ends a run but its users.
FOREVER = 1e6


def _nothing(user: Any) -> None:
    """Locust warns of users without tasks; the C generator has them."""


def entry(request: str | Entry) -> Entry:
    """``/target`` or ``POST /target``."""
    if isinstance(request, Entry):
        return request
    method, _, target = request.rpartition(" ")
    if not target.startswith("/"):
        raise UsageError("%r is no request like 'GET /page'." % request)
    return Entry(target, method or "GET")


class FastUser(User):  # type: ignore[misc]
    """Each user keeps one connection and sends its next request when the last
    one is answered, or ``think`` seconds (least, most) later.

    ``requests`` are targets, ``POST /target`` or ``Entry`` with headers, body,
    weight and what is expected (docs/load.md, templates too); ``options`` are
    other fields of LoadSpec: ``{"headers": "proxied", "cookies": True}``.
    ``host``, ``weight`` and ``fixed_count`` are Locust's.
    """

    abstract = True
    tasks: ClassVar[list[Any]] = [_nothing]
    requests: Sequence[str | Entry] = ("/",)
    think: tuple[float, float] = (0.0, 0.0)
    options: ClassVar[dict[str, Any]] = {}

    @classmethod
    def spec(cls, host: str | None) -> LoadSpec:
        """UsageError for what makes no sense."""
        url = cls.host or host
        if not url:
            raise UsageError(
                "%s has no host: set it, or --host." % cls.__name__
            )
        descriptors = limits.read().descriptors - OWN_DESCRIPTORS
        fields: dict[str, Any] = {
            "url": url,
            "connections": max(1, min(descriptors, MOST_USERS)),
            "duration": FOREVER,
            "window": FOREVER,  # the generator's snapshots are the windows
            "think": cls.think,
            **cls.options,
        }
        if "entries" not in fields and "url_list" not in fields:
            fields["entries"] = tuple(entry(one) for one in cls.requests)
        try:
            spec = LoadSpec(**fields)
            spec.check()
        except TypeError as error:
            raise UsageError(
                "options of %s: %s." % (cls.__name__, error)
            ) from error
        return spec

    def run(self) -> None:
        self._state = LOCUST_STATE_WAITING  # may be ended at any time
        load = loads.of(self.environment).load(type(self))
        load.enter()
        try:
            self.on_start()
            Event().wait()
        finally:
            try:
                self.on_stop()
            finally:
                load.leave()

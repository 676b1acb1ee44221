"""What the generator is given: requests as pieces, what each expects, and
which comes when."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

from wsgibench.errors import UsageError, WsgibenchError
from wsgibench.load.learn import ask
from wsgibench.load.message import closes, message
from wsgibench.load.spec import MAX_ROUTES, Entry, LoadSpec, Statuses
from wsgibench.load.target import Target
from wsgibench.load.templates import SLOT, Book, Piece, Pool
from wsgibench.load.urls import read_list, turns

MAX_LEARNED = 1_000


@dataclass
class Request:
    """Arguments of ``LoadGenerator.add_request``."""

    pieces: list[Piece]
    route: int = 0
    is_head: bool = False
    closes: bool = False
    check_body: int = 0
    statuses: tuple[int, ...] = ()
    body: bytes = b""
    length: int = 0


@dataclass
class Rendered:
    requests: list[Request]
    pools: list[Pool] = field(default_factory=list)
    order: list[int] = field(default_factory=list)
    routes: list[str] = field(default_factory=list)  # by number


def _entries(spec: LoadSpec, target: Target) -> list[Entry]:
    if spec.entries:
        return list(spec.entries)
    if spec.url_list:
        return read_list(spec.url_list, spec.method)
    return [Entry(target.path, spec.method)]


def _statuses(value: Statuses) -> tuple[int, ...]:
    if isinstance(value, int):
        return (value,) if value else ()
    return value


def _check_hash(entry: Entry, body: bytes) -> None:
    kind, _, digest = entry.expect_hash.partition(":")
    if kind != "sha256":
        raise UsageError("%r is no hash like sha256:HEX." % entry.expect_hash)
    if hashlib.sha256(body).hexdigest() != digest.lower():
        raise WsgibenchError(
            "the body of %s has not the hash %s."
            % (entry.target, entry.expect_hash)
        )


class Renderer:
    """Entries to requests, for one LoadSpec."""

    def __init__(self, spec: LoadSpec) -> None:
        self.spec = spec
        self.target = spec.target()
        self.book = Book()
        self.routes: list[str] = []

    def _route(self, entry: Entry) -> int:
        if entry.route not in self.routes:
            self.routes.append(entry.route)
        return self.routes.index(entry.route)

    def _learned(self, entry: Entry, pieces: list[Piece]) -> bytes | None:
        """None: there is nothing to be learned."""
        learn = self.spec.learn if entry.learn is None else entry.learn
        if not learn and not entry.expect_hash:
            return None
        if SLOT.search(entry.target.encode()):
            raise UsageError(
                "one answer does not tell what each %s answers: no body can "
                "be learned." % entry.target
            )
        if self.spec.follow or self.spec.cookies:
            raise UsageError(
                "no body can be learned where redirects or cookies decide "
                "it: give it by --expect-body-file."
            )
        body = ask(
            self.spec, self.target, self.book.sample(pieces), entry.method
        )
        if entry.expect_hash:
            _check_hash(entry, body)
        return body

    def request(self, entry: Entry) -> Request:
        spec = self.spec
        pieces = message(spec, entry, self.target, self.book)
        status = entry.expect_status
        made = Request(
            pieces,
            self._route(entry),
            entry.method == "HEAD",
            closes(spec, entry),
            statuses=_statuses(
                spec.expect_status if status is None else status
            ),
        )
        body = self._learned(entry, pieces)
        if body is None:
            body = entry.expect_body
        length = entry.expect_length
        if body is None and length is None:
            body, length = spec.expect_body, spec.expect_length
        if body is not None:
            return replace(made, check_body=1, body=body)
        if length is not None and length >= 0:
            return replace(made, check_body=2, length=length)
        return made


def render(spec: LoadSpec) -> Rendered:
    renderer = Renderer(spec)
    entries = _entries(spec, renderer.target)
    learned = sum(
        bool(entry.learn or spec.learn or entry.expect_hash)
        for entry in entries
    )
    if learned > MAX_LEARNED:
        raise UsageError(
            "the bodies of %d different requests cannot be learned; %d can."
            % (learned, MAX_LEARNED)
        )
    requests = [renderer.request(entry) for entry in entries]
    if len(renderer.routes) > MAX_ROUTES:
        raise UsageError(
            "%d routes are more than %d." % (len(renderer.routes), MAX_ROUTES)
        )
    return Rendered(
        requests,
        renderer.book.pools,
        turns(entries, spec.seed),
        renderer.routes,
    )

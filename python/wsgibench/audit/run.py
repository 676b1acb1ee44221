"""Asks a server everything and judges the answers.

HTTP cases are sent many at once, unless the server serves one connection after
the other. What goes wrong among many is asked again alone, on a server that is
known to live, so that a crash is blamed on the message that brings it about
and a wait on nobody else. Checks of PEP 3333 are asked one by one, for the
application's notes belong to one of them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import time
from collections.abc import Callable, Iterable, Sequence

from wsgibench.audit.faults import clients, processes
from wsgibench.audit.faults.fault import Fault
from wsgibench.audit.finding import Finding, kind_of
from wsgibench.audit.http.case import Case
from wsgibench.audit.http.judge import judge_case, meaning
from wsgibench.audit.http.levels import level
from wsgibench.audit.subject import Subject
from wsgibench.audit.wire.exchange import (
    Address,
    Reply,
    Script,
    connect,
    exchange,
    in_turn,
)
from wsgibench.audit.wire.responses import Malformed, finals, parse_all
from wsgibench.audit.wsgi.check import LAST, Ask, Check, Notes, judge_check
from wsgibench.errors import WsgibenchError

#: Seconds without a byte after which an exchange is given up.
PATIENCE = 2.0  # among many
ALONE = 1.0
PARALLEL = 16
PAUSE = 0.002  # between segments that the server has to read one by one
KEPT = 2000  # bytes of a message that a finding keeps
#: What an application's close() may need to be called after the answer.
NOTES_WITHIN = 3.0
#: What another client waits for while some stall.
MEANWHILE = 3.0
AFTERWARDS = 5.0

Tell = Callable[[str], None]


class Server:
    """A subject that is started again when it has died."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self.address: Address = subject.start()

    @property
    def pid(self) -> int:
        """Of the process that the audit started; 0: there is none."""
        return self._subject.pid

    def alive(self) -> bool:
        return self._subject.alive()

    def ask(self, name: str) -> bytes | None:
        return ask(self.address, name, AFTERWARDS, tries=2)

    def last_words(self) -> str:
        return self._subject.last_words()

    def restart(self) -> None:
        self._subject.stop()
        self.address = self._subject.start()

    def died(self, within: float = 0.0) -> str:
        """Why, if it has died since; it lives again then. Some take a while
        for it: `within` so many seconds."""
        until = time.monotonic() + within
        while self._answers():
            if time.monotonic() >= until:
                return ""
            time.sleep(0.1)
        why = self._subject.last_words() or "no word"
        self.restart()
        return why

    def _answers(self) -> bool:
        return self._subject.alive() and ask(self.address, "last") is not None

    def serves_several(self) -> bool:
        """Whether a connection that says nothing leaves it free for others."""
        with contextlib.closing(connect(self.address)):
            return ask(self.address, "last", patience=1.0, tries=1) is not None

    @functools.cached_property
    def pipelines(self) -> bool:
        """Whether it answers what is sent before the answer to the request
        before, or closes. Who drops one of the two fails that case, and not
        each check behind which a request stands."""
        reply = self.send(Ask("process").data() + LAST)
        try:
            answers = finals(parse_all(reply.data))
        except Malformed:
            return True
        if len(answers) != 1:
            return True
        (only,) = answers
        return only.body != b"last" and (only.closes or only.is_old)

    def converse(
        self, first: bytes, behind: bytes, method: str = "GET"
    ) -> Reply:
        """A message, and the next one behind it."""
        if self.pipelines:
            return self.send(first + behind)
        try:
            return in_turn(self.address, first, behind, method, ALONE)
        except OSError:
            return Reply(b"", "refused")

    def send(self, *segments: bytes, half_close: bool = False) -> Reply:
        pause = PAUSE if len(segments) > 1 else 0.0
        script = Script(segments, half_close, pause=pause)
        try:
            return exchange(self.address, [script], ALONE, 1)[0]
        except OSError:
            return Reply(b"", "refused")


def ask(
    address: Address, name: str, patience: float = 5.0, tries: int = 3
) -> bytes | None:
    """The body of a control answer of the application's."""
    head = "GET /wsgi/%s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    script = Script([(head % name).encode()])
    for _ in range(tries):
        try:
            (reply,) = exchange(address, [script], patience, 1)
            found = finals(parse_all(reply.data))
        except (OSError, Malformed):
            continue
        if found and found[0].status == 200:
            return found[0].body
    return None


def why_not(address: Address) -> str:
    """A sentence if it is not the audit's application that answers; ""."""
    if ask(address, "last") == b"last":
        return ""
    head = b"GET /wsgi/last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    try:
        (reply,) = exchange(address, [Script([head])], 5.0, 1)
        answers = finals(parse_all(reply.data))
    except OSError as error:
        return "it refuses connections: %s." % error
    except Malformed:
        answers = []
    if answers:
        return (
            "it answers %d to /wsgi/last: the application of the audit "
            "(see --folder) is not behind it." % answers[0].status
        )
    if reply.data[:2] == b"\x15\x03":
        return "it speaks TLS; the audit speaks HTTP without it."
    if reply.data[3:4] == b"\x04":  # the type of a SETTINGS frame
        return "it speaks HTTP/2; the audit speaks HTTP/1.1."
    if reply.data:
        return "what it answers is not HTTP/1.1: %r." % reply.data[:60]
    if reply.end == "deadline":
        return "it answers nothing within 5 s."
    return "it closes the connection without an answer."


# ---- HTTP ------------------------------------------------------------------


def http(
    server: Server, cases: Sequence[Case], tell: Tell
) -> Iterable[Finding]:
    replies: dict[int, Reply | None] = {}
    if server.serves_several():
        # While it is busy with others, it would read pieces together.
        together = [case for case in cases if not case.piece]
        replies.update(zip(map(id, together), _among_many(server, together)))
    for number, case in enumerate(cases):
        reply = replies.get(id(case))
        wrong = "" if reply is None else judge_case(case, reply, lenient=True)
        if reply is None or wrong:
            tell("http %d of %d" % (number + 1, len(cases)))
            smuggled = kind_of(wrong) == "smuggled"
            yield one_case(server, case, at_once=smuggled)
        else:
            yield _finding(case, reply, "", "")


def _among_many(
    server: Server, cases: Sequence[Case]
) -> Sequence[Reply | None]:
    scripts = [Script([case.data], case.half_close) for case in cases]
    try:
        return exchange(server.address, scripts, PATIENCE, PARALLEL)
    except OSError:  # it died on the way
        return [None] * len(cases)
    finally:
        server.died()


def one_case(server: Server, case: Case, at_once: bool = False) -> Finding:
    """`at_once`: with what stands behind it, also where the server drops
    that, which only `pipelining` is about."""
    started = time.monotonic()
    if case.family == "pipelining" or at_once or case.half_close or case.piece:
        reply = server.send(*case.segments, half_close=case.half_close)
    else:
        reply = server.converse(case.raw, case.behind)
    complaint = judge_case(case, reply, lenient=True)
    kind = kind_of(complaint)
    if complaint:
        died = server.died()
        if died:
            complaint, kind = "the server died: " + died, "crash"
    finding = _finding(case, reply, complaint, kind)
    return dataclasses.replace(finding, seconds=time.monotonic() - started)


def _finding(case: Case, reply: Reply, complaint: str, kind: str) -> Finding:
    return Finding(
        suite="http",
        family=case.family,
        name=case.name,
        rule=case.rule,
        level=level(case),
        complaint=complaint,
        kind=kind,
        sent=case.data[:KEPT],
        piece=case.piece,
        received=reply.data[:KEPT],
        meaning=meaning(reply),
    )


# ---- PEP 3333 --------------------------------------------------------------


def wsgi(
    server: Server, found: Sequence[Check], tell: Tell
) -> Iterable[Finding]:
    for number, check in enumerate(found):
        tell("wsgi %d of %d" % (number + 1, len(found)))
        yield one_check(server, check)


def one_check(server: Server, check: Check) -> Finding:
    started = time.monotonic()
    if ask(server.address, "clear") is None:
        server.died()
        if ask(server.address, "clear") is None:
            raise WsgibenchError(
                "the server does not run the application of the audit."
            )
    for one in check.asks:
        reply = server.converse(one.data(), LAST, one.method)
    notes = _notes(server, check.want.noted, NOTES_WITHIN)
    complaint = judge_check(check, reply, notes)
    kind = kind_of(complaint)
    died = server.died(within=check.settle)
    if died and check.ends:
        # As Python does with it: no defect of the server's code.
        complaint, kind = "the application's exit ended the server", "wrong"
    elif died:
        complaint, kind = "the server died: " + died, "crash"
    return Finding(
        suite="wsgi",
        family=check.family,
        name=check.name,
        rule=check.rule,
        level=check.level,
        complaint=complaint,
        kind=kind,
        sent=(one.data() + LAST)[:KEPT],
        received=reply.data[:KEPT],
        seconds=time.monotonic() - started,
    )


def _notes(server: Server, least: int, within: float) -> Notes:
    """What the application noted; close() may come after the answer."""
    until = time.monotonic() + within
    notes: Notes = []
    while len(notes) < least and time.monotonic() < until:
        text = ask(server.address, "notes", 2.0, 1)
        notes = [] if text is None else json.loads(text)
    return notes


# ---- faults ----------------------------------------------------------------


def faults(
    server: Server, found: Sequence[Fault], tell: Tell
) -> Iterable[Finding]:
    for number, fault in enumerate(found):
        tell("faults %d of %d" % (number + 1, len(found)))
        finding = one_fault(server, fault)
        if finding is not None:
            yield finding


def one_fault(server: Server, fault: Fault) -> Finding | None:
    """None: there is nothing to ask of this server."""
    started = time.monotonic()
    if ask(server.address, "clear") is None:
        server.died()
    received = b""
    found: str | None
    if fault.process:
        if not server.pid:
            return None
        found = processes.ACTS[fault.process](server)
        if found is None:
            return None
    else:
        found, received = _with_clients(server, fault)
        if found and fault.meanwhile and server.alive():
            # Among the stalled, how long is too long is a matter of time:
            # what is wrong once may be the machine's, twice it is not.
            found, received = _with_clients(server, fault)
    kind = kind_of(found)
    if not server.alive() and fault.process != "terminate":
        found, kind = "the server died: " + server.died(), "crash"
        if fault.process == "kill_worker":
            kind = "wrong"  # it ends with its worker, which was killed
    elif fault.process == "terminate":
        server.restart()
    elif ask(server.address, "last", AFTERWARDS, tries=2) is None:
        found = "answers nobody afterwards: " + server.last_words()
        kind = "hang"
        server.restart()
    return Finding(
        suite="faults",
        family=fault.family,
        name=fault.name,
        rule=fault.rule,
        level=fault.level,
        complaint=found,
        kind=kind,
        sent=(fault.send + fault.endless)[:KEPT],
        received=received[:KEPT],
        seconds=time.monotonic() - started,
    )


def _with_clients(server: Server, fault: Fault) -> tuple[str, bytes]:
    """(what is wrong, what the first client got)"""
    found = ""
    with clients.crowd(server.address, fault) as replies:
        if fault.meanwhile:
            patience = MEANWHILE
            if ask(server.address, "last", patience, tries=1) is None:
                found = "nobody else is answered while %d %s" % (
                    fault.clients,
                    "client holds" if fault.clients == 1 else "clients hold",
                )
    found = found or clients.complaint(fault, replies)
    if not found and fault.noted is not None:
        found = fault.noted(_notes(server, fault.notes or 1, fault.within))
    return found, replies[0].data if replies else b""

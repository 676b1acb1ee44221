"""What is planted is found, blamed on the right message, and of its kind."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

import pytest

from wsgibench.audit import differences, run
from wsgibench.audit.faults import families as families_of_faults
from wsgibench.audit.faults import processes
from wsgibench.audit.finding import Finding, score, worst
from wsgibench.audit.http import families
from wsgibench.audit.http.case import Case, accept, get
from wsgibench.audit.record import Audit, describe
from wsgibench.audit.subject import Command
from wsgibench.audit.wsgi import checks
from wsgibench.audit.wsgi.check import Check

CLOSE = b"Connection: close\r\n"
PLANTED = sys.executable + " -m tests.audit.planted %s {port}"


@contextlib.contextmanager
def planted(name: str) -> Iterator[run.Server]:
    subject = Command(PLANTED % name)
    try:
        yield run.Server(subject)
    finally:
        subject.close()


def case(name: str) -> Case:
    family, _, rest = name.partition("/")
    (found,) = [
        one
        for one in families.all_cases()
        if (one.family, one.name) == (family, rest)
    ]
    return found


def check(name: str) -> Check:
    family, _, rest = name.partition("/")
    (found,) = [
        one
        for one in checks.all_checks()
        if (one.family, one.name) == (family, rest)
    ]
    return found


def silent(text: str) -> None:
    pass


def test_a_crash_is_blamed_on_its_message_alone() -> None:
    deadly = accept("deadly", get(target=b"/die"), "none")
    cases = [accept("before", get(), "none"), deadly]
    cases += [accept("after-%d" % n, get(), "none") for n in range(3)]
    with planted("dies_of_a_path") as server:
        found = list(run.http(server, cases, silent))
    assert {f.name: f.kind for f in found if f.kind == "crash"} == {
        "deadly": "crash"
    }
    assert [f.name for f in found] == [one.name for one in cases]
    first = worst(found)
    assert first is not None
    assert first.name == "deadly"


def test_a_request_in_a_body_is_smuggled() -> None:
    with planted("splits_lines") as server:
        found = run.one_case(server, case("content_length/bad-minus"))
    assert found.kind == "smuggled"
    assert b"/smuggled" in found.sent
    assert found.received


def test_a_server_that_closes_is_not_blamed_for_it() -> None:
    """wsgiref says HTTP/1.0 and closes: so the RFC lets it."""
    with planted("serve_wsgi") as server:
        found = run.one_case(server, case("pipelining/gets-5"))
        assert found.right, found
        assert not server.serves_several()


def test_wrong_answers_of_wsgi_are_found() -> None:
    with planted("writes_any_field") as server:
        found = {
            name: run.one_check(server, check(name))
            for name in (
                "fields/injected-crlf-value",
                "start_response/twice",
                "environ/builtin-dict",
                "body/closed-at-the-end",
            )
        }
    assert found["environ/builtin-dict"].right
    assert found["body/closed-at-the-end"].right
    assert found["start_response/twice"].right
    assert not found["fields/injected-crlf-value"].right


def test_what_the_application_did_not_say_is_no_answer() -> None:
    with planted("talks_nonsense") as server:
        found = [
            run.one_case(server, case("host/valid-name")),
            run.one_check(server, check("environ/required")),
        ]
    assert ["not the application's" in f.complaint for f in found] == [
        True,
        True,
    ]


def test_who_cannot_pipeline_is_asked_in_turn() -> None:
    with planted("serve_wsgi") as server:
        assert server.pipelines  # it closes instead
        server.__dict__["pipelines"] = False
        assert run.one_check(server, check("body/closed-at-the-end")).right
        assert run.one_check(server, check("environ/required")).right
        assert run.one_case(server, case("host/valid-name")).right


def test_names_are_one_case_each() -> None:
    for names in (
        [(c.family, c.name) for c in families.all_cases()],
        [(c.family, c.name) for c in checks.all_checks()],
    ):
        assert len(names) == len(set(names))


def test_servers_part_where_they_read_differently() -> None:
    chosen = [case("content_length/bad-minus"), case("host/valid-name")]
    audits = []
    for name in ("splits_lines", "serve_wsgi"):
        with planted(name) as server:
            audit = Audit(name)
            audit.findings += run.http(server, chosen, silent)
            audits.append(audit)
    parted = differences.of(audits)
    assert set(parted) == {"http/content_length/bad-minus"}
    assert len(parted["http/content_length/bad-minus"]) == 2
    assert "1 of 2 messages" in differences.text(audits)


def test_the_score_counts_by_level_and_kind() -> None:
    found = [
        Finding("http", "f", "a", "r", "must"),
        Finding("http", "f", "b", "r", "must", "left open", "hang"),
        Finding("http", "f", "c", "r", "robust", "x", "wrong"),
        Finding("wsgi", "f", "d", "r", "must"),
    ]
    table = score(found)
    assert table["http"]["right"] == 1
    assert table["http"]["of"] == 3
    assert (table["http"]["must"], table["http"]["must_of"]) == (1, 2)
    assert table["http"]["hang"] == 1
    assert table["wsgi"] == {"of": 1, "right": 1, "must_of": 1, "must": 1}
    first = worst(found)
    assert first is not None
    assert first.name == "b"
    assert worst([]) is None


def test_a_subject_that_ends_is_started_again() -> None:
    subject = Command(PLANTED % "serve_wsgi")
    try:
        server = run.Server(subject)
        assert not server.died()
        subject.stop()
        assert server.died()
        assert run.ask(server.address, "last") == b"last"
    finally:
        subject.close()


def test_faults_are_found() -> None:
    chosen = {
        "vanish/head-reset": "",
        "slow/endless-answer": "nobody else is answered",
        "process/terminated-answer": "was cut off",
    }
    with planted("serve_wsgi") as server:
        for fault in families_of_faults.all_faults():
            words = chosen.get("%s/%s" % (fault.family, fault.name))
            if words is not None:
                found = run.one_fault(server, fault)
                assert found is not None
                assert words in found.complaint
                assert found.right == (not words)
        assert server.ask("last") == b"last"


def test_a_message_comes_in_pieces() -> None:
    with planted("takes_a_read_for_a_request") as server:
        whole = run.one_case(server, accept("whole", get(), "none"))
        cut = run.one_case(
            server, accept("cut", get(CLOSE), "none", persists=False, piece=1)
        )
    assert whole.right, whole
    assert cut.complaint == "answered [400]"
    assert "Connection: close\\r\\n\\r\\n' (1 at a time)" in describe(cut)
    assert "at a time" not in describe(whole)


def test_a_server_that_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    # Its threads never start before the next request, however long one waits.
    monkeypatch.setattr(processes, "THREAD_WITHIN", 0.2)
    with planted("never_rests") as server:
        found = {
            fault.name: run.one_fault(server, fault)
            for fault in families_of_faults.all_faults()
            if fault.name in ("idle", "background-thread")
        }
    assert [
        one is not None and words in one.complaint
        for one, words in (
            (found["idle"], "% of a CPU while nobody asks"),
            (found["background-thread"], "stands still between requests"),
        )
    ] == [True, True]


def test_an_exit_of_the_application_is_no_crash() -> None:
    with planted("ends_with_the_application") as server:
        found = run.one_check(
            server, check("start_response/KeyboardInterrupt")
        )
    assert found.kind == "wrong"
    assert "exit ended the server" in found.complaint

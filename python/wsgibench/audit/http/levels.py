"""How binding the rule behind a case is: must, should or robust.

must: RFC 9110 and 9112 say so, or a message would be framed in two ways.
should: the RFC recommends a refusal (9112 3: "SHOULD respond with a 400").
robust: a server may do otherwise, and a sane one does not.
"""

from __future__ import annotations

from wsgibench.audit.http.case import Case

#: Families whose refusals the RFC recommends only: the grammar of the request
#: line (9112 3) and of what stands in it.
RECOMMENDED = {"request_line", "method", "target"}
#: Limits are the server's own to choose; names with "_" are CGI's business.
FREE = {"size_limit", "underscore"}


def level(case: Case) -> str:
    if case.family in FREE:
        return "robust"
    if case.family in RECOMMENDED and case.verdict != "accept":
        return "should"
    if case.rule.startswith("3986") and case.verdict != "accept":
        return "should"
    return "must"

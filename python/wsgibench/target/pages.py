"""The one page of an application, for servers that call none."""

from __future__ import absolute_import


def page(app):
    """(status, headers, body)"""
    answer = []

    def start_response(status, headers, exc_info=None):
        answer[:] = [status, headers]

    body = b"".join(app({"REMOTE_ADDR": ""}, start_response))
    return answer[0], answer[1], body


def message(app, fields):
    """A whole response, with more header fields in front."""
    status, headers, body = page(app)
    lines = ["HTTP/1.1 " + status]
    lines += ["%s: %s" % field for field in list(fields) + list(headers)]
    return "\r\n".join(lines + ["", ""]).encode("latin-1") + body

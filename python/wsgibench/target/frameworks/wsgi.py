"""No framework: a WSGI callable."""

from __future__ import absolute_import

REQUIRES = []


def wrap(work):
    def application(environ, start_response):
        body = work.run()
        start_response(
            "200 OK",
            [
                ("Content-Type", work.content_type),
                ("Content-Length", str(len(body))),
            ],
        )
        return [body]

    return application

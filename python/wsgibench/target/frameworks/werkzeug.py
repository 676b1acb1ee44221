"""Werkzeug's Request and Response around the work."""

from __future__ import absolute_import

REQUIRES = ["werkzeug"]


def wrap(work):
    from werkzeug.wrappers import Request, Response

    @Request.application
    def application(request):
        return Response(work.run(), content_type=work.content_type)

    return application

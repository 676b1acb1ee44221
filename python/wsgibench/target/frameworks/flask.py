"""A Flask view."""

from __future__ import absolute_import

REQUIRES = ["flask"]


def wrap(work):
    from flask import Flask, Response

    application = Flask("wsgibench")

    # The suites ask for many different paths.
    @application.route("/")
    @application.route("/<path:rest>")
    def view(rest=""):
        return Response(work.run(), content_type=work.content_type)

    return application

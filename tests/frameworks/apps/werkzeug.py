from __future__ import annotations

import hashlib
import json

from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response
from werkzeug.wsgi import wrap_file

from tests.frameworks.apps import BLOCK, DATA

ROUTES = Map(
    [
        Rule("/name/<name>", endpoint="name"),
        *(
            Rule("/" + each, endpoint=each)
            for each in (
                "hello",
                "form",
                "upload",
                "raw",
                "stream",
                "file",
                "cookies",
                "fail",
            )
        ),
    ]
)


def hello(request):
    return Response("Hello " + request.args["name"])


def name(request, name):
    return Response(name)


def form(request):
    return Response(json.dumps(request.form.to_dict()))


def upload(request):
    data = request.files["data"].read()
    return Response(hashlib.sha256(data).hexdigest())


def raw(request):
    digest = hashlib.sha256()
    for block in iter(lambda: request.stream.read(10000), b""):
        digest.update(block)
    return Response(digest.hexdigest())


def stream(request):
    return Response(BLOCK for _ in range(int(request.args["blocks"])))


def file(request):
    wrapped = wrap_file(request.environ, open(DATA, "rb"))
    return Response(wrapped, direct_passthrough=True)


def cookies(request):
    response = Response("two")
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response


def fail(request):
    raise ValueError("from the application")


@Request.application
def app(request):
    endpoint, values = ROUTES.bind_to_environ(request.environ).match()
    return globals()[endpoint](request, **values)

from __future__ import annotations

import hashlib
import os

import bottle

from tests.frameworks.apps import BLOCK, DATA

app = bottle.Bottle()


@app.get("/hello")
def hello():
    return "Hello " + bottle.request.query.getunicode("name")


@app.get("/name/<name>")
def name(name):
    return name


@app.post("/form")
def form():
    return {key: value for key, value in bottle.request.forms.decode().items()}


@app.post("/upload")
def upload():
    data = bottle.request.files["data"].file.read()
    return hashlib.sha256(data).hexdigest()


@app.post("/raw")
def raw():
    return hashlib.sha256(bottle.request.body.read()).hexdigest()


@app.get("/stream")
def stream():
    for _ in range(int(bottle.request.query["blocks"])):
        yield BLOCK


@app.get("/file")
def file():
    folder, base = os.path.split(DATA)
    return bottle.static_file(
        base, root=folder, mimetype="application/octet-stream"
    )


@app.get("/cookies")
def cookies():
    bottle.response.set_cookie("a", "1")
    bottle.response.set_cookie("b", "2")
    return "two"


@app.get("/fail")
def fail():
    raise ValueError("from the application")

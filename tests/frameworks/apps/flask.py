from __future__ import annotations

import hashlib

import flask

from tests.frameworks.apps import BLOCK, DATA

app = flask.Flask(__name__)


@app.get("/hello")
def hello():
    return "Hello " + flask.request.args["name"]


@app.get("/name/<name>")
def name(name):
    return name


@app.post("/form")
def form():
    return flask.jsonify(flask.request.form.to_dict())


@app.post("/upload")
def upload():
    return hashlib.sha256(flask.request.files["data"].read()).hexdigest()


@app.post("/raw")
def raw():
    return hashlib.sha256(flask.request.get_data()).hexdigest()


@app.get("/stream")
def stream():
    count = int(flask.request.args["blocks"])
    return flask.Response(BLOCK for _ in range(count))


@app.get("/file")
def file():
    return flask.send_file(DATA, mimetype="application/octet-stream")


@app.get("/cookies")
def cookies():
    response = flask.Response("two")
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response


@app.get("/fail")
def fail():
    raise ValueError("from the application")

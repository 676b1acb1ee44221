from __future__ import annotations

import hashlib
import os

import falcon

from tests.frameworks.apps import BLOCK, DATA


class Hello:
    def on_get(self, req, resp):
        resp.text = "Hello " + req.get_param("name")


class Name:
    def on_get(self, req, resp, name):
        resp.text = name


class Form:
    def on_post(self, req, resp):
        resp.media = req.get_media()


class Upload:
    def on_post(self, req, resp):
        for part in req.get_media():
            if part.name == "data":
                digest = hashlib.sha256(part.stream.read())
                resp.text = digest.hexdigest()


class Raw:
    def on_post(self, req, resp):
        digest = hashlib.sha256(req.bounded_stream.read())
        resp.text = digest.hexdigest()


class Stream:
    def on_get(self, req, resp):
        count = req.get_param_as_int("blocks")
        resp.stream = (BLOCK for _ in range(count))


class File:
    def on_get(self, req, resp):
        # Falcon wraps what has read() with wsgi.file_wrapper.
        resp.set_stream(open(DATA, "rb"), os.path.getsize(DATA))


class Cookies:
    def on_get(self, req, resp):
        resp.set_cookie("a", "1")
        resp.set_cookie("b", "2")
        resp.text = "two"


class Fail:
    def on_get(self, req, resp):
        raise ValueError("from the application")


app = falcon.App()
app.add_route("/name/{name}", Name())
for resource in (Hello, Form, Upload, Raw, Stream, File, Cookies, Fail):
    app.add_route("/" + resource.__name__.lower(), resource())

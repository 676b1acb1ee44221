"""Django counts what request_finished told it: /finished."""

from __future__ import annotations

import hashlib
import threading

import django
from django.conf import settings
from django.core.signals import request_finished
from django.core.wsgi import get_wsgi_application
from django.http import (
    FileResponse,
    HttpResponse,
    JsonResponse,
    StreamingHttpResponse,
)
from django.urls import path

from tests.frameworks.apps import BLOCK, DATA

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="for tests",
    DATA_UPLOAD_MAX_MEMORY_SIZE=1 << 26,
    DEBUG=False,
)
django.setup()

_finished = 0
_lock = threading.Lock()


def count(**kwargs):
    global _finished
    with _lock:
        _finished += 1


request_finished.connect(count)


def finished(request):
    return HttpResponse(str(_finished))


def hello(request):
    return HttpResponse("Hello " + request.GET["name"])


def name(request, name):
    return HttpResponse(name)


def form(request):
    return JsonResponse(request.POST.dict())


def upload(request):
    data = request.FILES["data"].read()
    return HttpResponse(hashlib.sha256(data).hexdigest())


def raw(request):
    return HttpResponse(hashlib.sha256(request.body).hexdigest())


def stream(request):
    blocks = (BLOCK for _ in range(int(request.GET["blocks"])))
    return StreamingHttpResponse(blocks)


def file(request):
    return FileResponse(
        open(DATA, "rb"), content_type="application/octet-stream"
    )


def cookies(request):
    response = HttpResponse("two")
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response


def fail(request):
    raise ValueError("from the application")


urlpatterns = [
    path("name/<str:name>", name),
    path("hello", hello),
    path("form", form),
    path("upload", upload),
    path("raw", raw),
    path("stream", stream),
    path("file", file),
    path("cookies", cookies),
    path("fail", fail),
    path("finished", finished),
]
app = get_wsgi_application()

import hashlib

from django.contrib.auth.decorators import login_required
from django.http import (
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404, render

from notes.models import Note


def index(request):
    notes = Note.objects.order_by("id")[:20]
    return render(request, "index.html", {"notes": notes})


def note(request, number):
    found = get_object_or_404(Note, pk=number)
    return JsonResponse({"id": found.pk, "text": found.text})


@login_required(login_url="/login")
def add(request):
    if request.method == "POST":
        found = Note.objects.create(text=request.POST["text"][:200])
        return HttpResponseRedirect("/note/%d" % found.pk)
    return render(request, "add.html")


@login_required(login_url="/login")
def upload(request):
    digest = hashlib.sha256()
    for block in request.FILES["file"].chunks():
        digest.update(block)
    return HttpResponse(digest.hexdigest(), content_type="text/plain")


def export(request):
    """A stream: its length is not known before."""

    def lines():
        for found in Note.objects.order_by("id")[:20]:
            yield "%d,%s\n" % (found.pk, found.text)

    return StreamingHttpResponse(lines(), content_type="text/csv")

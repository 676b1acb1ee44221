from django.conf import settings
from django.contrib.auth.views import LoginView
from django.urls import path
from django.views.static import serve
from notes import views

urlpatterns = [
    path("", views.index),
    path("note/<int:number>", views.note),
    path("add", views.add),
    path("upload", views.upload),
    path("export", views.export),
    path("login", LoginView.as_view()),
    path(
        "static/<path:path>",
        serve,
        {"document_root": settings.BASE_DIR / "static"},
    ),
]

"""The API under /v1/, the admin under /admin/, the demo page at /, its inbox under /inbox/."""

from django.contrib import admin
from django.contrib.staticfiles.urls import staticfiles_urlpatterns
from django.urls import include, path
from django.views.i18n import JavaScriptCatalog

from example_project import views

urlpatterns = [
    path("", views.demo, name="demo"),
    path("inbox/", views.inbox, name="inbox"),
    path("inbox/latest/", views.inbox_latest, name="inbox_latest"),
    path("inbox/<int:pk>/", views.inbox_html, name="inbox_html"),
    path("texts.js", JavaScriptCatalog.as_view(packages=["example_project"]), name="texts"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("v1/", include("django_account.urls")),
    path("admin/", admin.site.urls),
    # Under DEBUG, whichever server runs.
    *staticfiles_urlpatterns(),
]

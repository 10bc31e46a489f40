"""The API under /v1/, the admin under /admin/, a start page at /."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import TemplateView

urlpatterns = [
    path("", TemplateView.as_view(template_name="example_project/start.html")),
    path("v1/", include("django_account.urls")),
    path("admin/", admin.site.urls),
]

"""The API under /v1/, the admin under /admin/, a start page at /."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import TemplateView

urlpatterns = [
    path(
        "",
        TemplateView.as_view(
            template_name="example_project/start.html",
            extra_context={"project_id": settings.DJANGO_ACCOUNT["PROJECT_ID"]},
        ),
    ),
    path("v1/", include("django_account.urls")),
    path("admin/", admin.site.urls),
]

"""The account API, and what it is compared with."""

from django.contrib import admin
from django.urls import include, path

from benchmarks.site import views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("v1/", include("django_account.urls")),
    path("bare/", views.BareView.as_view()),
    path("constant/", views.constant),
    path("hash/", views.hash_once),
]

"""What a host includes: ``path("v1/", include("django_account.urls"))``."""

from django_account.api.urls import urlpatterns

__all__ = ["urlpatterns"]

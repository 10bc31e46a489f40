"""What a host includes: ``path("v1/", include("django_account.urls"))``."""

from django_account.api.urls import urlpatterns

__all__ = ["app_name", "urlpatterns"]

# Else our "ping" would be the site's.
app_name = "django_account"

"""``GET /ping``: is somebody there? (transport.md §1.4)"""

from __future__ import annotations

from django.http import HttpResponse

from django_account.api.views import AccountViewSet, endpoint


class PingViewSet(AccountViewSet):
    """Anybody may ask."""

    @endpoint(scope="global", service=None, by_staff=True)
    def ping(self, request: object, **path: str) -> HttpResponse:
        """Pong."""
        return HttpResponse("Pong!", content_type="text/plain; charset=UTF-8")

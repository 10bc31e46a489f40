"""What was done to the signed-in person's account (mfa-oauth.md §7.1)."""

from __future__ import annotations

from django.http import HttpResponse

from django_account.api.renderers import json_answer
from django_account.api.serializers.log import LogListInput, LogListSerializer, log_list
from django_account.api.views import AccountViewSet, endpoint


class LogViewSet(AccountViewSet):
    """The activity log."""

    @endpoint(scope="account", params=LogListInput, answers=LogListSerializer, by_staff=True)
    def list_logs(self, request: object, **path: str) -> HttpResponse:
        """The person's entries, newest first."""
        return json_answer(log_list(self.account, self.params, locale=self.locale))

"""What was done to other people's accounts (users.md §8.1)."""

from __future__ import annotations

from django.http import HttpResponse

from django_account.api.renderers import json_answer
from django_account.api.serializers.log import LogListSerializer, log_list
from django_account.api.serializers.user import UserLogListInput
from django_account.api.users.base import PeopleViewSet, users_endpoint


class UserLogViewSet(PeopleViewSet):
    """The activity log of the person whom the path names."""

    @users_endpoint(scope="users.read", params=UserLogListInput, answers=LogListSerializer)
    def list_logs(self, request: object, **path: str) -> HttpResponse:
        """The person's entries, newest first."""
        return json_answer(log_list(self.find_person(), self.params, locale=self.locale))

"""What all endpoints about other people share (users.md §2)."""

from __future__ import annotations

from functools import partial

from django.http import HttpResponse

from django_account.accounts.models import Account
from django_account.accounts.services import get_account
from django_account.api.renderers import json_answer
from django_account.api.serializers.account import account_document, person_document
from django_account.api.views import AccountViewSet, endpoint

# Only API keys reach these, and impersonators those that read (permissions.check_scope).
users_endpoint = partial(endpoint, service="users")


class PeopleViewSet(AccountViewSet):
    """Acts on the person whom the path names, blocked or not."""

    def find_person(self) -> Account:
        """The person of the path.

        Raises:
            UserNotFound: there is none.
        """
        account = get_account(self.params["userId"])
        self.concern(account)
        return account

    def person_answer(self, account: Account, status: int = 200) -> HttpResponse:
        """The person, to servers with the hash of the password."""
        to_document = person_document if self.caller.is_server else account_document
        return json_answer(to_document(account, account.targets.order_by("pk")), status)

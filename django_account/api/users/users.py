"""People: list, create, look, change, delete (users.md §3)."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from django.http import HttpResponse

from django_account.accounts.models import Account
from django_account.accounts.search import SEARCHED, search_condition
from django_account.accounts.services import create_account, delete_account
from django_account.administration import services
from django_account.administration.usage import usage
from django_account.api.queries import searched
from django_account.api.renderers import empty_answer, json_answer
from django_account.api.serializers.account import (
    PreferencesSerializer,
    account_document,
    person_document,
)
from django_account.api.serializers.membership import (
    MembershipListSerializer,
    UserMembershipListInput,
    membership_document,
)
from django_account.api.serializers.user import (
    NewUserInput,
    UsageInput,
    UsageUsersSerializer,
    UserEmailInput,
    UserEmailVerificationInput,
    UserImpersonatorInput,
    UserInput,
    UserLabelsInput,
    UserListInput,
    UserListSerializer,
    UserMFAInput,
    UserNameInput,
    UserPasswordInput,
    UserPhoneInput,
    UserPhoneVerificationInput,
    UserPrefsInput,
    UserSerializer,
    UserStatusInput,
)
from django_account.api.users.base import PeopleViewSet, users_endpoint
from django_account.conf import conf
from django_account.core.times import iso
from django_account.selfservice import profile
from django_account.targets.models import Target


class UserViewSet(PeopleViewSet):
    """The person whom the path names, and the list of all."""

    @users_endpoint(scope="users.read", params=UserListInput, answers=UserListSerializer)
    def list_users(self, request: object, **path: str) -> HttpResponse:
        """Everybody, or whom the queries and the search find."""
        queries = self.params["queries"]
        if search := self.params["search"]:
            found = search_condition(search, SEARCHED, {"label": "labels"})
            queries = searched(queries, found)
        in_order = Prefetch("targets", Target.objects.order_by("pk"))
        page, total = queries.answer(
            Account.objects.with_user().prefetch_related(in_order), count=self.params["total"]
        )
        to_document = person_document if self.caller.is_server else account_document
        return json_answer(
            {
                "total": total,
                "users": [to_document(account, account.targets.all()) for account in page],
            }
        )

    @users_endpoint(
        scope="users.write",
        params=NewUserInput,
        answers=UserSerializer,
        status=201,
        event="user.create",
    )
    def create(self, request: object, **path: str) -> HttpResponse:
        """Make somebody with any of an e-mail address, a phone number and a password."""
        account = create_account(
            account_id=self.params["userId"],
            email=self.params["email"],
            phone=self.params["phone"],
            password=self.params["password"],
            name=self.params["name"],
            by_server=True,
        )
        self.concern(account)
        return self.person_answer(account, 201)

    @users_endpoint(scope="users.read", params=UsageInput, answers=UsageUsersSerializer)
    def get_usage(self, request: object, **path: str) -> HttpResponse:
        """How many people and sessions there are, and when they were made."""
        found = usage(self.params["range"])
        document: dict[str, Any] = {"range": self.params["range"]}
        document |= {f"{name}Total": each.total for name, each in found.items()}
        for name, each in found.items():
            document[name] = [{"value": made, "date": iso(at)} for at, made in each.made]
        return json_answer(document)

    @users_endpoint(scope="users.read", params=UserInput, answers=UserSerializer)
    def get_user(self, request: object, **path: str) -> HttpResponse:
        """One person."""
        return self.person_answer(self.find_person())

    @users_endpoint(scope="users.write", params=UserInput, status=204, event="user.delete")
    def delete_user(self, request: object, **path: str) -> HttpResponse:
        """Delete somebody and everything of theirs."""
        delete_account(self.find_person())
        return empty_answer()

    @users_endpoint(
        scope="users.write", params=UserStatusInput, answers=UserSerializer, event="user.update"
    )
    def update_status(self, request: object, **path: str) -> HttpResponse:
        """Block or unblock somebody."""
        account = self.find_person()
        services.update_status(account=account, is_active=self.params["status"])
        return self.person_answer(account)

    @users_endpoint(
        scope="users.write", params=UserLabelsInput, answers=UserSerializer, event="user.update"
    )
    def update_labels(self, request: object, **path: str) -> HttpResponse:
        """Replace somebody's labels."""
        account = self.find_person()
        services.update_labels(account=account, labels=self.params["labels"])
        return self.person_answer(account)

    @users_endpoint(
        scope="users.write",
        params=UserImpersonatorInput,
        answers=UserSerializer,
        event="user.update",
    )
    def update_impersonator(self, request: object, **path: str) -> HttpResponse:
        """Allow somebody to act as others."""
        account = self.find_person()
        services.update_impersonator(account=account, impersonator=self.params["impersonator"])
        return self.person_answer(account)

    @users_endpoint(
        scope="users.write", params=UserNameInput, answers=UserSerializer, event="user.update"
    )
    def update_name(self, request: object, **path: str) -> HttpResponse:
        """Change somebody's name; it may be empty."""
        account = self.find_person()
        profile.update_name(account=account, name=self.params["name"])
        return self.person_answer(account)

    @users_endpoint(
        scope="users.write", params=UserPasswordInput, answers=UserSerializer, event="user.update"
    )
    def update_password(self, request: object, **path: str) -> HttpResponse:
        """Set somebody's password, or take it away."""
        account = self.find_person()
        services.update_password(account=account, password=self.params["password"] or None)
        return self.person_answer(account)

    @users_endpoint(
        scope="users.write", params=UserEmailInput, answers=UserSerializer, event="user.update"
    )
    def update_email(self, request: object, **path: str) -> HttpResponse:
        """Change somebody's e-mail address, or take it away."""
        account = self.find_person()
        services.update_email(account=account, email=self.params["email"] or None)
        return self.person_answer(account)

    @users_endpoint(
        scope="users.write", params=UserPhoneInput, answers=UserSerializer, event="user.update"
    )
    def update_phone(self, request: object, **path: str) -> HttpResponse:
        """Change somebody's phone number, or take it away."""
        account = self.find_person()
        services.update_phone(account=account, phone=self.params["number"] or None)
        return self.person_answer(account)

    @users_endpoint(
        scope="users.write",
        params=UserEmailVerificationInput,
        answers=UserSerializer,
        event="verification.update",
    )
    def update_email_verification(self, request: object, **path: str) -> HttpResponse:
        """Say whether somebody's e-mail address is proven."""
        return self.verification_answer("email", verified=self.params["emailVerification"])

    @users_endpoint(
        scope="users.write",
        params=UserPhoneVerificationInput,
        answers=UserSerializer,
        event="verification.update",
    )
    def update_phone_verification(self, request: object, **path: str) -> HttpResponse:
        """Say whether somebody's phone number is proven."""
        return self.verification_answer("phone", verified=self.params["phoneVerification"])

    def verification_answer(self, address_kind: str, *, verified: bool) -> HttpResponse:
        account = self.find_person()
        services.update_verification(account=account, address_kind=address_kind, verified=verified)
        return self.person_answer(account)

    @users_endpoint(
        scope="users.write", params=UserMFAInput, answers=UserSerializer, event="user.update"
    )
    def update_mfa(self, request: object, **path: str) -> HttpResponse:
        """Ask somebody for a second factor, or no longer."""
        account = self.find_person()
        services.update_mfa(account=account, mfa=self.params["mfa"])
        return self.person_answer(account)

    @users_endpoint(scope="users.read", params=UserInput, answers=PreferencesSerializer)
    def get_prefs(self, request: object, **path: str) -> HttpResponse:
        """Somebody's preferences, bare."""
        return json_answer(self.find_person().prefs)

    @users_endpoint(scope="users.write", params=UserPrefsInput, answers=PreferencesSerializer)
    def update_prefs(self, request: object, **path: str) -> HttpResponse:
        """Replace somebody's preferences."""
        account = self.find_person()
        profile.update_prefs(account=account, prefs=self.params["prefs"])
        return json_answer(account.prefs)

    @users_endpoint(
        scope="users.read", params=UserMembershipListInput, answers=MembershipListSerializer
    )
    def list_memberships(self, request: object, **path: str) -> HttpResponse:
        """Somebody's teams, as the site's MEMBERSHIPS knows them."""
        account = self.find_person()
        memberships = conf.memberships(
            account=account, queries=self.params["queries"], search=self.params["search"]
        )
        documents = [membership_document(each, account) for each in memberships]
        total = len(documents) if self.params["total"] else 0
        return json_answer({"total": total, "memberships": documents})

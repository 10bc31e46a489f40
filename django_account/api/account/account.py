"""The account itself: sign up, look, change, block, delete (core.md §9.1 ff., §9.18 ff.)."""

from __future__ import annotations

from django.http import HttpResponse

from django_account.accounts import services
from django_account.api.cookies import clear_session_cookies
from django_account.api.renderers import empty_answer, json_answer
from django_account.api.serializers.account import (
    AccountInput,
    AccountSerializer,
    EmailInput,
    NameInput,
    PasswordInput,
    PhoneInput,
    PreferencesSerializer,
    PrefsInput,
    account_document,
)
from django_account.api.throttling import HOUR, Limit
from django_account.api.views import AccountViewSet, endpoint
from django_account.exceptions import UserNotFound
from django_account.selfservice import profile


class AccountAccountViewSet(AccountViewSet):
    """The signed-in person's account."""

    def account_answer(self) -> HttpResponse:
        return json_answer(account_document(self.account, self.caller.targets))

    @endpoint(
        scope="sessions.write",
        auth_method="email-password",
        limits=[Limit(10, HOUR, "url,ip")],
        params=AccountInput,
        answers=AccountSerializer,
        status=201,
        event="user.create",
    )
    def create(self, request: object, **path: str) -> HttpResponse:
        """Sign up. It does not sign in."""
        account = services.create_account(
            account_id=self.params["userId"],
            email=self.params["email"],
            password=self.params["password"],
            name=self.params["name"],
        )
        self.concern(account)
        return json_answer(account_document(account, account.targets.order_by("pk")), 201)

    @endpoint(scope="account", answers=AccountSerializer, by_staff=True)
    def get_account(self, request: object, **path: str) -> HttpResponse:
        """The account; an impersonator's answer is the other person's."""
        other = self.caller.impersonated
        if other is None:
            return self.account_answer()
        targets = other.targets.order_by("pk")
        return json_answer(account_document(other, targets, impersonator=self.account))

    @endpoint(scope="account", status=204, event="user.delete")
    def delete_account(self, request: object, **path: str) -> HttpResponse:
        """Delete the account and everything of it; an impersonator deletes the other person's.

        Nobody deletes their own by misspelling another's.
        """
        if self.caller.impersonates:
            if self.caller.impersonated is None:
                raise UserNotFound
            self.concern(self.caller.impersonated)
            services.delete_account(self.caller.impersonated)
            return empty_answer()
        services.delete_account(self.account)
        response = empty_answer()
        clear_session_cookies(self.request._request, response)
        return response

    @endpoint(scope="account", answers=PreferencesSerializer, by_staff=True)
    def get_prefs(self, request: object, **path: str) -> HttpResponse:
        """The preferences, bare."""
        return json_answer(self.account.prefs)

    @endpoint(
        scope="account",
        params=PrefsInput,
        answers=AccountSerializer,
        event="user.update",
        by_staff=True,
    )
    def update_prefs(self, request: object, **path: str) -> HttpResponse:
        """Replace the preferences."""
        profile.update_prefs(account=self.account, prefs=self.params["prefs"])
        return self.account_answer()

    @endpoint(
        scope="account",
        params=NameInput,
        answers=AccountSerializer,
        event="user.update",
        by_staff=True,
    )
    def update_name(self, request: object, **path: str) -> HttpResponse:
        """Change the name."""
        profile.update_name(account=self.account, name=self.params["name"])
        return self.account_answer()

    @endpoint(
        scope="account",
        limits=[Limit(10, HOUR, "url,ip")],
        params=PasswordInput,
        answers=AccountSerializer,
        event="user.update",
    )
    def update_password(self, request: object, **path: str) -> HttpResponse:
        """Set a new password."""
        profile.update_password(
            account=self.account,
            password=self.params["password"],
            old_password=self.params["oldPassword"],
            current=self.caller.session,
        )
        return self.account_answer()

    @endpoint(scope="account", params=EmailInput, answers=AccountSerializer, event="user.update")
    def update_email(self, request: object, **path: str) -> HttpResponse:
        """Change the e-mail address, or give an anonymous account its first."""
        profile.update_email(
            account=self.account, email=self.params["email"], password=self.params["password"]
        )
        self.caller.targets = list(self.account.targets.order_by("pk"))
        return self.account_answer()

    @endpoint(scope="account", params=PhoneInput, answers=AccountSerializer, event="user.update")
    def update_phone(self, request: object, **path: str) -> HttpResponse:
        """Change the phone number."""
        profile.update_phone(
            account=self.account, phone=self.params["phone"], password=self.params["password"]
        )
        self.caller.targets = list(self.account.targets.order_by("pk"))
        return self.account_answer()

    @endpoint(scope="account", answers=AccountSerializer, event="user.update")
    def update_status(self, request: object, **path: str) -> HttpResponse:
        """Block oneself."""
        profile.block(self.account)
        response = self.account_answer()
        clear_session_cookies(self.request._request, response)
        return response

"""Links, codes and what they do (core.md §9.11 to §9.16, mfa-oauth.md §6)."""

from __future__ import annotations

from django.http import HttpResponse

from django_account.api.authentication import Caller
from django_account.api.params import read_params
from django_account.api.renderers import json_answer
from django_account.api.serializers.session import SessionSerializer
from django_account.api.serializers.token import (
    ConfirmationInput,
    EmailTokenInput,
    MagicURLInput,
    PhoneTokenInput,
    RecoveryCodeInput,
    RecoveryConfirmationInput,
    RecoveryInput,
    SecretInput,
    TokenSerializer,
    VerificationCodeInput,
    VerificationInput,
    token_document,
)
from django_account.api.throttling import HOUR, Limit
from django_account.api.views import AccountViewSet, endpoint
from django_account.selfservice import passwordless, recovery, verification
from django_account.selfservice.passwordless import Requester
from django_account.sessions.services import create_token_session
from django_account.tokens.models import Token
from django_account.tokens.services import IssuedToken
from django_account.tokens.wrapped import unwrap_secret


class TokenViewSet(AccountViewSet):
    """One-time tokens."""

    @property
    def requester(self) -> Requester:
        """Who asks, and in which language."""
        return Requester(client=self.client, locale=self.locale)

    def issued_answer(self, issued: IssuedToken) -> HttpResponse:
        """A new token; its secret is for servers only."""
        self.concern(issued.token.account)
        secret = issued.secret if self.caller.is_server else ""
        return json_answer(
            token_document(issued.token, issued.token.account, secret=secret, phrase=issued.phrase),
            201,
        )

    def used_answer(self, token: Token) -> HttpResponse:
        """A token that has done its work."""
        self.concern(token.account)
        return json_answer(token_document(token, token.account))

    @endpoint(
        scope="sessions.write",
        auth_method="magic-url",
        limits=[Limit(60, HOUR, "url,email"), Limit(60, HOUR, "url,ip")],
        params=MagicURLInput,
        answers=TokenSerializer,
        status=201,
        event="session.create",
    )
    def create_magic_url_token(self, request: object, **path: str) -> HttpResponse:
        """Send a link that signs in."""
        return self.issued_answer(
            passwordless.create_magic_url_token(
                account_id=self.params["userId"],
                email=self.params["email"],
                url=self.params["url"] or self.page("magic-url"),
                phrase=self.params["phrase"],
                requester=self.requester,
            )
        )

    @endpoint(
        scope="sessions.write",
        auth_method="email-otp",
        limits=[Limit(10, HOUR, "url,email"), Limit(10, HOUR, "url,ip")],
        params=EmailTokenInput,
        answers=TokenSerializer,
        status=201,
        event="session.create",
    )
    def create_email_token(self, request: object, **path: str) -> HttpResponse:
        """Send a code that signs in, by e-mail."""
        return self.issued_answer(
            passwordless.create_email_token(
                account_id=self.params["userId"],
                email=self.params["email"],
                phrase=self.params["phrase"],
                requester=self.requester,
            )
        )

    @endpoint(
        scope="sessions.write",
        auth_method="phone",
        limits=[Limit(10, HOUR, "url,phone"), Limit(10, HOUR, "url,ip")],
        params=PhoneTokenInput,
        answers=TokenSerializer,
        status=201,
        event="session.create",
    )
    def create_phone_token(self, request: object, **path: str) -> HttpResponse:
        """Send a code that signs in, by SMS."""
        return self.issued_answer(
            passwordless.create_phone_token(
                account_id=self.params["userId"],
                phone=self.params["phone"],
                requester=self.requester,
            )
        )

    @endpoint(
        scope="sessions.write",
        signs_in=True,
        limits=[Limit(10, HOUR, "ip,userId")],
        resets=(201,),
        params=SecretInput,
        answers=SessionSerializer,
        status=201,
        event="session.create",
    )
    def create_session(self, request: object, **path: str) -> HttpResponse:
        """Sign in with a link's, code's or OAuth2 provider's secret."""
        return self.signed_in_answer(
            create_token_session(
                account_id=self.params["userId"],
                secret=self.params["secret"],
                client=self.client,
                current=self.caller.session,
            )
        )

    def may_replace(self, caller: Caller) -> bool:
        """Whoever has linked an identity exchanges its token while still signed in."""
        secret = read_params(self.request).get("secret")
        return (
            caller.session is not None
            and isinstance(secret, str)
            and unwrap_secret(secret) is not None
        )

    # Deprecated names of the same, each with its own operation in the SDKs.
    update_magic_url_session = create_session

    @endpoint(
        scope="sessions.write",
        signs_in=True,
        # The same counter as above; a success here leaves it as it is (core.md §5.2).
        limits=[Limit(10, HOUR, "ip,userId")],
        params=SecretInput,
        answers=SessionSerializer,
        status=201,
        event="session.create",
    )
    def update_phone_session(self, request: object, **path: str) -> HttpResponse:
        """Sign in with a code sent by SMS."""
        return self.create_session(request, **path)

    @endpoint(
        scope="sessions.write",
        limits=[Limit(10, HOUR, "url,email"), Limit(10, HOUR, "url,ip")],
        params=RecoveryInput,
        answers=TokenSerializer,
        status=201,
        event="recovery.create",
    )
    def create_recovery(self, request: object, **path: str) -> HttpResponse:
        """Send a link that allows a new password."""
        return self.issued_answer(
            recovery.create_recovery(
                email=self.params["email"], url=self.params["url"], requester=self.requester
            )
        )

    @endpoint(
        scope="sessions.write",
        limits=[Limit(10, HOUR, "url,userId")],
        params=RecoveryConfirmationInput,
        answers=TokenSerializer,
        event="recovery.update",
    )
    def update_recovery(self, request: object, **path: str) -> HttpResponse:
        """Set a new password with a link's secret."""
        return self.recovered_answer(Token.Kind.RECOVERY)

    @endpoint(
        scope="sessions.write",
        limits=[Limit(10, HOUR, "url,email"), Limit(10, HOUR, "url,ip")],
        params=RecoveryCodeInput,
        answers=TokenSerializer,
        status=201,
        event="recovery.create",
    )
    def create_recovery_otp(self, request: object, **path: str) -> HttpResponse:
        """Send a code that allows a new password."""
        return self.issued_answer(
            recovery.create_recovery_code(
                email=self.params["email"],
                phrase=self.params["phrase"],
                requester=self.requester,
            )
        )

    @endpoint(
        scope="sessions.write",
        limits=[Limit(10, HOUR, "url,userId")],
        params=RecoveryConfirmationInput,
        answers=TokenSerializer,
        event="recovery.update",
    )
    def update_recovery_otp(self, request: object, **path: str) -> HttpResponse:
        """Set a new password with a code."""
        return self.recovered_answer(Token.Kind.RECOVERY_CODE)

    def recovered_answer(self, kind: Token.Kind) -> HttpResponse:
        """Set the new password with a token of one kind."""
        return self.used_answer(
            recovery.complete_recovery(
                account_id=self.params["userId"],
                secret=self.params["secret"],
                password=self.params["password"],
                kind=kind,
            )
        )

    @endpoint(
        scope="account",
        limits=[Limit(10, HOUR, "url,caller")],
        params=VerificationInput,
        answers=TokenSerializer,
        status=201,
        event="verification.create",
    )
    def create_email_verification(self, request: object, **path: str) -> HttpResponse:
        """Send a link that verifies the e-mail address."""
        return self.issued_answer(
            verification.create_email_verification(
                account=self.account, url=self.params["url"], requester=self.requester
            )
        )

    @endpoint(
        scope="public",
        limits=[Limit(10, HOUR, "url,userId")],
        params=ConfirmationInput,
        answers=TokenSerializer,
        event="verification.update",
    )
    def update_email_verification(self, request: object, **path: str) -> HttpResponse:
        """Verify the e-mail address with a link's secret."""
        return self.verified_answer(Token.Kind.EMAIL_VERIFICATION)

    @endpoint(
        scope="account",
        limits=[Limit(10, HOUR, "url,caller")],
        params=VerificationCodeInput,
        answers=TokenSerializer,
        status=201,
        event="verification.create",
    )
    def create_email_verification_otp(self, request: object, **path: str) -> HttpResponse:
        """Send a code that verifies the e-mail address."""
        return self.issued_answer(
            verification.create_email_verification_code(
                account=self.account, phrase=self.params["phrase"], requester=self.requester
            )
        )

    @endpoint(
        scope="public",
        limits=[Limit(10, HOUR, "url,userId")],
        params=ConfirmationInput,
        answers=TokenSerializer,
        event="verification.update",
    )
    def update_email_verification_otp(self, request: object, **path: str) -> HttpResponse:
        """Verify the e-mail address with a code."""
        return self.verified_answer(Token.Kind.EMAIL_VERIFICATION_CODE)

    @endpoint(
        scope="account",
        auth_method="phone",
        limits=[Limit(10, HOUR, "url,caller"), Limit(10, HOUR, "url,ip")],
        answers=TokenSerializer,
        status=201,
        event="verification.create",
    )
    def create_phone_verification(self, request: object, **path: str) -> HttpResponse:
        """Send a code that verifies the phone number."""
        return self.issued_answer(
            verification.create_phone_verification(account=self.account, requester=self.requester)
        )

    @endpoint(
        scope="public",
        limits=[Limit(10, HOUR, "userId")],
        params=ConfirmationInput,
        answers=TokenSerializer,
        event="verification.update",
    )
    def update_phone_verification(self, request: object, **path: str) -> HttpResponse:
        """Verify the phone number with a code."""
        return self.verified_answer(Token.Kind.PHONE_VERIFICATION_CODE)

    def verified_answer(self, kind: Token.Kind) -> HttpResponse:
        """Verify the address that a token of one kind was sent to."""
        return self.used_answer(
            verification.complete_verification(
                account_id=self.params["userId"], secret=self.params["secret"], kind=kind
            )
        )

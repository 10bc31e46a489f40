"""The acts that staff have for accounts (``admin/acts.py`` says what an act is)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.http.request import validate_host
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from django_account.accounts.models import Account
from django_account.admin.acts import Act, Text, register
from django_account.administration import services
from django_account.conf import conf
from django_account.core.clients import ClientInfo
from django_account.exceptions import (
    EmailNotFound,
    FeatureUnsupported,
    IdentityNotFound,
    InvalidArgument,
    SessionNotFound,
)
from django_account.identities.models import Identity
from django_account.identities.services import remove
from django_account.mfa.services import reset_mfa
from django_account.selfservice.passwordless import Requester
from django_account.selfservice.recovery import create_recovery
from django_account.selfservice.verification import (
    create_email_verification,
    create_phone_verification,
)
from django_account.sessions.models import Session
from django_account.sessions.services import end_session, end_sessions

Values = Mapping[str, Any]


def requester() -> Requester:
    """Who asks for a message on a person's behalf: the site, in its own language."""
    return Requester(client=ClientInfo(), locale=settings.LANGUAGE_CODE)


def page_address(request: HttpRequest, name: str) -> str:
    """The address of one of our own pages, for a link that is mailed.

    Raises:
        FeatureUnsupported: the site does not vouch for the host, and a forged ``Host`` header would
            have the secret sent there; or the API's URLs are not among those of the admin.
    """
    host = request.get_host()
    patterns = [pattern for pattern in settings.ALLOWED_HOSTS if pattern != "*"]
    patterns += [platform.lower().removeprefix("*") for platform in conf.platforms]
    if not validate_host(urlsplit(f"//{host}").hostname or "", patterns):
        text = gettext("Name %(host)s in ALLOWED_HOSTS first: links are made of it.")
        raise FeatureUnsupported(text % {"host": host})
    try:
        path = reverse(f"django_account:{name}")
    except NoReverseMatch:
        raise FeatureUnsupported(
            gettext("Include django_account.urls where the admin is: links lead to its pages.")
        ) from None
    scheme = "https" if request.is_secure() else "http"
    if conf.trusted_proxies and (forwarded := request.headers.get("X-Forwarded-Proto")):
        scheme = "https" if forwarded.rpartition(",")[2].strip().lower() == "https" else "http"
    return f"{scheme}://{host}{path}"


# --- may this person come in? -------------------------------------------------------------------


@register
class Block(Act):
    name = "block"
    label = _("Block")
    description = _(
        "Every request is refused from then on, and nobody signs in. Sessions stay, for when the "
        "account is unblocked."
    )
    done = _("Blocked.")
    on_oneself = False

    def obstacle(self, account: Account) -> Text:
        return "" if account.is_active else _("It is blocked already.")

    def run(self, request: HttpRequest, account: Account, values: Values) -> None:
        services.update_status(account=account, is_active=False)


@register
class Unblock(Act):
    name = "unblock"
    label = _("Unblock")
    description = _("Signing in works again, and so do the sessions that are left.")
    done = _("Unblocked.")

    @property
    def permission(self) -> str:
        return "django_account.block_account"

    def obstacle(self, account: Account) -> Text:
        return _("It is not blocked.") if account.is_active else ""

    def run(self, request: HttpRequest, account: Account, values: Values) -> None:
        services.update_status(account=account, is_active=True)


# --- addresses ----------------------------------------------------------------------------------


class SetVerification(Act):
    """Say whether an address is proven."""

    address_kind: str
    verified: bool
    event = "verification.update"

    @property
    def permission(self) -> str:
        return "django_account.verify_account"

    def obstacle(self, account: Account) -> Text:
        if not getattr(account, self.address_kind):
            return _("It has no such address.")
        if getattr(account, f"{self.address_kind}_verified") == self.verified:
            return _("It is so already.")
        return ""

    def run(self, request: HttpRequest, account: Account, values: Values) -> None:
        services.update_verification(
            account=account, address_kind=self.address_kind, verified=self.verified
        )


@register
class VerifyEmail(SetVerification):
    name, address_kind, verified = "verify_email", "email", True
    label = _("Mark e-mail verified")
    description = _("The e-mail address counts as proven, without a message to it.")
    done = _("E-mail address marked verified.")


@register
class UnverifyEmail(SetVerification):
    name, address_kind, verified = "unverify_email", "email", False
    label = _("Mark e-mail unverified")
    description = _(
        "The e-mail address has to be proven again, and is no second factor until then."
    )
    done = _("E-mail address marked unverified.")


@register
class VerifyPhone(SetVerification):
    name, address_kind, verified = "verify_phone", "phone", True
    label = _("Mark phone verified")
    description = _("The phone number counts as proven, without a message to it.")
    done = _("Phone number marked verified.")


@register
class UnverifyPhone(SetVerification):
    name, address_kind, verified = "unverify_phone", "phone", False
    label = _("Mark phone unverified")
    description = _("The phone number has to be proven again, and is no second factor until then.")
    done = _("Phone number marked unverified.")


class VerificationForm(forms.Form):
    """By e-mail or by SMS?"""

    address = forms.ChoiceField(
        label=_("Which address"),
        choices=[("email", _("E-mail: a link")), ("phone", _("Phone: a code by SMS"))],
        initial="email",
    )


@register
class SendVerification(Act):
    name = "send_verification"
    label = _("Send verification")
    description = _("A message goes to the address, by which the person shows that it is theirs.")
    done = _("Verification sent.")
    event = "verification.create"
    form_class = VerificationForm

    def obstacle(self, account: Account) -> Text:
        has_email = account.email and not account.email_verified
        has_phone = account.phone and not account.phone_verified
        return "" if has_email or has_phone else _("It has no address that is unverified.")

    def run(self, request: HttpRequest, account: Account, values: Values) -> None:
        if values["address"] == "phone":
            create_phone_verification(account=account, requester=requester())
        else:
            url = page_address(request, "verification")
            create_email_verification(account=account, url=url, requester=requester())


# --- passwords ----------------------------------------------------------------------------------


@register
class SendRecovery(Act):
    name = "send_recovery"
    label = _("Send recovery")
    description = _(
        "A link goes to the e-mail address, by which the person chooses a password. Nothing "
        "changes until they do."
    )
    done = _("Recovery sent.")
    event = "recovery.create"

    def obstacle(self, account: Account) -> Text:
        if not account.email:
            return _("It has no e-mail address.")
        return "" if account.is_active else _("It is blocked.")

    def run(self, request: HttpRequest, account: Account, values: Values) -> None:
        if not account.email:
            raise EmailNotFound
        url = page_address(request, "recovery")
        create_recovery(email=account.email, url=url, requester=requester())


class PasswordForm(forms.Form):
    """A new password, once: staff tell it to the person, who changes it."""

    password = forms.CharField(
        label=_("New password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


@register
class SetPassword(Act):
    """For sites that must (ADMIN_SET_PASSWORDS)."""

    name = "set_password"
    label = _("Set password")
    description = _(
        "You will know somebody else's password. Send a recovery instead wherever you can."
    )
    done = _("Password set.")
    form_class = PasswordForm
    dangerous = True
    bulk = False

    @property
    def is_offered(self) -> bool:
        return conf.admin_set_passwords

    def run(self, request: HttpRequest, account: Account, values: Values) -> None:
        try:
            # Here they speak the reader's language; the service has them speak English.
            validate_password(values["password"], account.user)
        except ValidationError as error:
            raise InvalidArgument("password", " ".join(error.messages)) from error
        services.update_password(account=account, password=values["password"])


# --- signed in, and by what ---------------------------------------------------------------------


@register
class EndSessions(Act):
    name = "end_sessions"
    label = _("End all sessions")
    description = _("The person is signed out everywhere.")
    done = _("All sessions ended.")
    event = "session.delete"

    def run(self, request: HttpRequest, account: Account, values: Values) -> None:
        end_sessions(account=account)


class SessionForm(forms.Form):
    session = forms.CharField(max_length=36, widget=forms.HiddenInput)


@register
class EndSession(Act):
    name = "end_session"
    label = _("End session")
    description = _("The person is signed out on this device.")
    done = _("Session ended.")
    event = "session.delete"
    form_class = SessionForm
    bulk = False
    item = "session"

    @property
    def permission(self) -> str:
        return "django_account.end_sessions_account"

    def run(self, request: HttpRequest, account: Account, values: Values) -> None:
        named = Session.objects.filter(account=account, public_id=values["session"])
        session = named.select_related("account").first()
        if session is None:
            raise SessionNotFound
        end_session(session)


class IdentityForm(forms.Form):
    identity = forms.CharField(max_length=36, widget=forms.HiddenInput)


@register
class UnlinkIdentity(Act):
    name = "unlink_identity"
    label = _("Unlink")
    description = _(
        "The person no longer signs in by this provider, also if it is their only way to sign in."
    )
    done = _("Identity unlinked.")
    event = "identity.delete"
    form_class = IdentityForm
    dangerous = True
    bulk = False
    item = "identity"

    def run(self, request: HttpRequest, account: Account, values: Values) -> None:
        if not Identity.objects.filter(account=account, public_id=values["identity"]).exists():
            raise IdentityNotFound
        remove(identity_id=values["identity"])


@register
class ResetMFA(Act):
    name = "reset_mfa"
    label = _("Reset MFA")
    description = _(
        "The authenticator, the recovery codes and open challenges go, and signing in asks for one "
        "factor. The person is told by e-mail. Be sure that it is them who ask for it."
    )
    done = _("Second factors reset.")
    dangerous = True

    def run(self, request: HttpRequest, account: Account, values: Values) -> None:
        reset_mfa(account=account)


@register
class ResetLimits(Act):
    name = "reset_limits"
    label = _("Reset rate limits")
    description = _(
        "Every rate limit that counts the person's id or addresses begins anew, and so do wrong "
        "second factors."
    )
    done = _("Rate limits reset.")
    event = ""

    @property
    def permission(self) -> str:
        return "django_account.reset_rate_limits"

    def run(self, request: HttpRequest, account: Account, values: Values) -> None:
        if not services.reset_limits(account_ids=[account.public_id]):
            raise FeatureUnsupported(
                gettext("The cache that counts does not answer. Reset again when it is back.")
            )

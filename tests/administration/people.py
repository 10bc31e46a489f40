"""Somebody of whom there is a row in every table, and a secret wherever there can be one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from django_account.accounts.models import Account
from django_account.accounts.services import create_account
from django_account.audit.models import LogEntry
from django_account.core.clients import ClientInfo
from django_account.core.crypto import digest, encrypt
from django_account.identities.models import Identity
from django_account.mfa.models import Authenticator, Challenge, GuessCount, RecoveryCode
from django_account.notifications.models import Delivery
from django_account.sessions.provider_tokens import ProviderTokens
from django_account.sessions.services import create_session
from django_account.targets.models import Target
from django_account.tokens.models import Token
from django_account.tokens.services import issue_token
from tests.notifications.mails import message

EMAIL = "ada@example.org"
PHONE = "+14155550100"
NAME = "Ada Lovelace"
PASSWORD = "correct horse battery"
CLIENT = ClientInfo("192.0.2.1", "curl/8.0 (Analytical Engine)")

# What nobody may read anywhere.
PLANTED = {
    "password": PASSWORD,
    "access token": "planted-access-token",
    "refresh token": "planted-refresh-token",
    "seed": "PLANTEDSEED",
    "recovery code": "planted-recovery",
    "challenge code": "planted-challenge",
    "push token": "planted-push-token",
    "mail": "planted-mail-secret",
}


def somebody() -> tuple[Account, dict[str, str]]:
    """A person with a row in every table, and the secrets that were planted there."""
    account = create_account(email=EMAIL, phone=PHONE, password=PASSWORD, name=NAME)
    planted = dict(PLANTED)
    account.prefs, account.labels = {"colour": "teal"}, ["vip"]
    account.password_history = ["planted$history$hash"]
    account.imported_hash = "planted$imported$hash"
    account.mfa_enabled = account.email_verified = account.phone_verified = True
    account.save()
    planted |= {"history": "planted$history$hash", "imported hash": "planted$imported$hash"}
    planted["hash"] = account.user.password
    user = account.user
    for name in ("first_name", "last_name"):
        if hasattr(user, name):
            setattr(user, name, NAME.split()[name == "last_name"])
    user.save()

    tokens = ProviderTokens(planted["access token"], planted["refresh token"])
    issued = create_session(
        account=account,
        provider="github",
        provider_uid="4711",
        provider_tokens=tokens,
        factors=["email", "oauth2"],
        client=CLIENT,
    )
    planted["session"] = issued.secret
    planted["session digest"] = digest(issued.secret)
    identity = Identity(
        account=account, provider="github", provider_uid="4711", provider_email="ada@github.test"
    )
    identity.provider_tokens = tokens
    identity.save()
    for kind in (Token.Kind.RECOVERY, Token.Kind.EMAIL_CODE):
        token = issue_token(account=account, kind=kind, address=EMAIL)
        planted[f"{kind} secret"] = token.secret
        planted[f"{kind} digest"] = token.token.secret_digest
    Target.objects.create(
        account=account,
        session=issued.session,
        provider_type="push",
        identifier=planted["push token"],
        name="Ada's phone",
    )
    Authenticator.objects.create(
        user=user, name="Authenticator app", seed=encrypt(planted["seed"], "totp-seed")
    )
    RecoveryCode.new(account, 1, planted["recovery code"]).save()
    challenge = Challenge(
        account=account,
        session_public_id=issued.session.public_id,
        factor="custom",
        address=EMAIL,
        expires_at=timezone.now() + timedelta(minutes=5),
    )
    challenge.set_code(planted["challenge code"], readable=True)
    challenge.save()
    planted["challenge digest"] = challenge.code_digest
    planted["sealed challenge"] = challenge.sealed_code
    GuessCount.objects.create(user=user, count=1, since=timezone.now())
    delivery = Delivery(
        account=account,
        kind="recovery",
        channel="email",
        recipient=EMAIL,
        expires_at=timezone.now() + timedelta(hours=1),
    )
    delivery.seal(message("recovery", recipient=EMAIL, link=planted["mail"]))
    delivery.save()
    planted["sealed delivery"] = delivery.payload
    LogEntry.objects.create(
        event="session.create",
        account_pk=account.pk,
        user_id=account.public_id,
        user_email=EMAIL,
        user_phone=PHONE,
        user_name=NAME,
        user_type="user",
        reason=f"Ticket 12 of {NAME}",
        ip=CLIENT.ip,
        user_agent=CLIENT.user_agent,
    )
    return Account.objects.with_user().get(pk=account.pk), planted


def everything(*excluded: str) -> str:
    """Every value of every row of ours and of the site's users, as one text."""
    from django.apps import apps
    from django.contrib.admin.models import LogEntry as AdminLogEntry
    from django.contrib.auth import get_user_model

    models: list[Any] = [get_user_model(), AdminLogEntry]
    models += apps.get_app_config("django_account").get_models()
    rows = [
        row
        for model in models
        if model.__name__ not in excluded
        for row in model._base_manager.values()
    ]
    # An unusable password is random, and may spell anybody's name.
    for row in rows:
        if str(row.get("password", "")).startswith("!"):
            row["password"] = "!"
    return "\n".join(map(str, rows))

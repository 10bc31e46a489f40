"""Everything we hold on one person, as one document that they can read.

The shape is documented in docs/admin.md; :data:`VERSION` changes with it. There is no password, no
hash, no code and no token in it: what it needs of a row is named here, and nothing else is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from django_account import signals
from django_account.accounts import users
from django_account.accounts.models import Account
from django_account.administration.shapes import to_appwrite
from django_account.audit.models import LogEntry
from django_account.core.clients import ClientDetails
from django_account.core.times import iso
from django_account.identities.models import Identity
from django_account.mfa.models import Authenticator, Challenge, RecoveryCode
from django_account.notifications.models import Delivery
from django_account.sessions.models import Session
from django_account.targets.models import Target
from django_account.tokens.models import Token

VERSION = 1

# Rows read at a time.
CHUNK = 500


def export_account(account: Account) -> Iterator[str]:
    """Write a person's data as JSON, piece by piece: the log may be long.

    Args:
        account: with its user.

    Yields:
        pieces of one document.

    Raises:
        TypeError: a receiver of ``signals.personal_data_requested`` returned what is no JSON.
    """
    head = {
        "version": VERSION,
        "exportedAt": iso(timezone.now()),
        "account": account_values(account),
        "user": user_values(account),
        # First, so that an error of the site's own code leaves no half a document.
        "site": site_values(account),
    }
    yield _json(head)[:-2]
    for name, rows in _lists(account):
        yield f',\n  "{name}": ['
        for number, row in enumerate(rows):
            yield ("," if number else "") + "\n    " + _json(row, indent=None)
        yield "\n  ]"
    yield "\n}\n"


def account_values(account: Account) -> dict[str, Any]:
    """The account in the wire's words."""
    return {
        **to_appwrite(account, passwords=False),
        "mfa": account.mfa_enabled,
        "impersonator": account.impersonator,
        "passwordResetRequired": account.password_reset_required,
        "accessedAt": iso(account.accessed_at),
        "$createdAt": iso(account.created_at),
        "$updatedAt": iso(account.updated_at),
    }


def user_values(account: Account) -> dict[str, Any]:
    """What the site's own user table says, of the fields that Django's own user models have."""
    user = account.user
    return {
        "id": str(user.pk),
        "username": str(user.get_username()),
        "email": users.read_email(user) or "",
        "phone": users.read_phone(user) or "",
        "name": users.read_name(user),
        "lastLogin": iso(user.last_login),
    }


def site_values(account: Account) -> dict[str, Any]:
    """What the site adds of its own.

    Raises:
        TypeError: it is no JSON, or no dictionary.
    """
    found: dict[str, Any] = {}
    for receiver, answer in signals.personal_data_requested.send(sender=None, account=account):
        if not isinstance(answer, dict | None):
            raise TypeError(f"{receiver!r} must return a dictionary, or None.")
        found |= answer or {}
    # Now, and not in the middle of the document.
    json.dumps(found, cls=DjangoJSONEncoder)
    return found


def _lists(account: Account) -> Iterator[tuple[str, Iterable[dict[str, Any]]]]:
    """The parts of which there may be many, oldest first; the log as people see it."""
    yield "sessions", map(session_values, _of(Session, account))
    yield "targets", map(target_values, _of(Target, account))
    yield "identities", map(identity_values, _of(Identity, account))
    yield (
        "authenticators",
        map(
            authenticator_values, Authenticator.objects.filter(user=account.user_id).order_by("pk")
        ),
    )
    yield "recoveryCodes", ({"number": code.number} for code in _of(RecoveryCode, account))
    yield "tokens", map(token_values, _of(Token, account))
    yield "challenges", map(challenge_values, _of(Challenge, account))
    yield "deliveries", map(delivery_values, _of(Delivery, account))
    yield "logs", map(log_values, LogEntry.objects.of(account).iterator(chunk_size=CHUNK))


def _of(model: Any, account: Account) -> Any:
    return model._default_manager.filter(account=account).order_by("pk").iterator(chunk_size=CHUNK)


def client_values(details: ClientDetails) -> dict[str, str]:
    """The browser or app and the device."""
    return {
        "client": " ".join(filter(None, (details.client_name, details.client_version))),
        "os": " ".join(filter(None, (details.os_name, details.os_version))),
        "device": " ".join(filter(None, (details.device_brand, details.device_model))),
    }


def session_values(session: Session) -> dict[str, Any]:
    return {
        "$id": session.public_id,
        "$createdAt": iso(session.created_at),
        "expire": iso(session.expires_at),
        "provider": session.provider,
        "providerUid": session.provider_uid,
        "factors": session.factors,
        "ip": session.ip,
        "countryCode": session.country_code,
        "userAgent": session.user_agent,
        **client_values(session.client_details),
    }


def target_values(target: Target) -> dict[str, Any]:
    # A push token lets whoever has it send to the device.
    is_push = target.provider_type == Target.ProviderType.PUSH
    return {
        "$id": target.public_id,
        "$createdAt": iso(target.created_at),
        "name": target.name,
        "providerType": target.provider_type,
        "identifier": "" if is_push else target.identifier,
        "expired": target.expired,
    }


def identity_values(identity: Identity) -> dict[str, Any]:
    return {
        "$id": identity.public_id,
        "$createdAt": iso(identity.created_at),
        "provider": identity.provider,
        "providerUid": identity.provider_uid,
        "providerEmail": identity.provider_email,
    }


def authenticator_values(device: Authenticator) -> dict[str, Any]:
    return {
        "type": device.type,
        "verified": device.confirmed,
        "$createdAt": iso(device.created_at),
    }


def token_values(token: Token) -> dict[str, Any]:
    return {
        "kind": token.kind,
        "address": token.address,
        "$createdAt": iso(token.created_at),
        "expire": iso(token.expires_at),
    }


def challenge_values(challenge: Challenge) -> dict[str, Any]:
    return {
        "factor": challenge.factor,
        "address": challenge.address,
        "$createdAt": iso(challenge.created_at),
        "expire": iso(challenge.expires_at),
    }


def delivery_values(delivery: Delivery) -> dict[str, Any]:
    return {
        "kind": delivery.kind,
        "channel": delivery.channel,
        "recipient": delivery.recipient,
        "state": delivery.state,
        "$createdAt": iso(delivery.created_at),
    }


def log_values(entry: LogEntry) -> dict[str, Any]:
    return {
        "event": entry.title,
        "time": iso(entry.at),
        "error": entry.error,
        "userEmail": entry.user_email,
        "userPhone": entry.user_phone,
        "userName": entry.user_name,
        "userType": entry.user_type,
        "mode": entry.mode,
        "actorId": entry.actor_id,
        "reason": entry.reason,
        "sessionId": entry.session_id,
        "ip": entry.ip,
        "countryCode": entry.country_code,
        "userAgent": entry.user_agent,
        **client_values(entry.client_details),
    }


def _json(value: Any, *, indent: int | None = 2) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent, cls=DjangoJSONEncoder)

"""Staff act as a person: for a reason, for a quarter of an hour, and not to take the account over.

A session is made for the member of staff that is the person's in every respect but three: it says
who acts (``Session.actor_id``), it cannot be extended, and most of what changes an account is
closed to it (``api.permissions.check_impersonation``).
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from django.db import transaction

from django_account.accounts.models import Account
from django_account.accounts.services import adopt_user, lock_account
from django_account.accounts.users import SiteUser
from django_account.conf import conf
from django_account.core.activity import MAX_REASON
from django_account.core.clients import ClientInfo
from django_account.core.crypto import decrypt, encrypt
from django_account.exceptions import ImpersonationRefused, InvalidArgument, PasswordResetRequired
from django_account.sessions.models import Session
from django_account.sessions.services import IssuedSession, create_impersonation_session

PERMISSION = "django_account.impersonate_account"

_HANDED_OVER = "django_account_impersonation"


def start_impersonation(
    *, account: Account, staff: SiteUser, reason: str, client: ClientInfo
) -> IssuedSession:
    """Sign a member of staff in as a person, and write down who and why.

    Args:
        staff: a user of the site. One without an account gets one, whose id the log names.
        reason: why, in their words; up to MAX_REASON characters.
        client: of the member of staff.

    Raises:
        ImpersonationRefused: the site does not allow it, the member of staff may not, or nobody may
            act as this person: other staff, impersonators, and people who are blocked.
        PasswordResetRequired: the person can do nothing before they have set a new password.
        InvalidArgument: there is no reason, or too long a one.
        UserAlreadyExists: the member of staff has no account, and another has their address.
        UserNotFound: the account has been deleted in the meantime.
    """
    reason = " ".join(reason.split())
    if not reason:
        raise InvalidArgument("reason", "Say why, for the log.")
    if len(reason) > MAX_REASON:
        raise InvalidArgument("reason", f"At most {MAX_REASON} characters.")
    if not conf.admin_impersonation:
        raise ImpersonationRefused("Acting as others is switched off (ADMIN_IMPERSONATION).")
    if not may_impersonate(staff):
        raise ImpersonationRefused("You may not act as others. Ask a superuser.")
    actor = adopt_user(staff)
    with transaction.atomic():
        account = lock_account(account)
        if is_privileged(account):
            raise ImpersonationRefused("Nobody acts as staff, or as somebody who acts as others.")
        if not account.is_active:
            raise ImpersonationRefused("This person is blocked. Unblock them first.")
        if account.password_reset_required:
            raise PasswordResetRequired
        return create_impersonation_session(
            account=account, actor=actor, reason=reason, client=client
        )


def is_in_force(session: Session) -> bool:
    """Whether a session may be used. One of a member of staff's may only as long as it could be
    made: a permission that is withdrawn is withdrawn at once.

    Args:
        session: with its account and user; the person's own costs nothing.
    """
    if not session.actor_id:
        return True
    if not conf.admin_impersonation or is_privileged(session.account):
        return False
    actor = Account.objects.with_user().filter(public_id=session.actor_id).first()
    return actor is not None and may_impersonate(actor.user)


def hand_over(store: MutableMapping[str, Any], issued: IssuedSession) -> None:
    """Leave a new session for the page that gives the browser its cookie (api.acting).

    Args:
        store: Django's session of the member of staff. The credential lies there encrypted, once.
    """
    store[_HANDED_OVER] = encrypt(issued.credential, "impersonation")


def take_over(store: MutableMapping[str, Any]) -> str | None:
    """The credential that was left, which is gone from there; None when there is none."""
    sealed = store.pop(_HANDED_OVER, None)
    try:
        return decrypt(sealed, "impersonation") if sealed else None
    except ValueError:
        return None


def may_impersonate(staff: SiteUser) -> bool:
    """Whether a user is staff who may act as others."""
    has_perm = getattr(staff, "has_perm", None)
    return bool(
        staff.is_active and getattr(staff, "is_staff", False) and has_perm and has_perm(PERMISSION)
    )


def is_privileged(account: Account) -> bool:
    """Whether acting as somebody would give more rights than acting as a member of the public."""
    user = account.user
    return bool(
        getattr(user, "is_staff", False)
        or getattr(user, "is_superuser", False)
        or account.impersonator
    )

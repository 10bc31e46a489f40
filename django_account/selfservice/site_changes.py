"""What the site itself does to a user reaches the user's account.

A password set or an address changed in the Django admin, by a command or by the site's own code
does not go through our services; these receivers of ``post_save`` notice it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils import timezone

from django_account import signals
from django_account.accounts import users
from django_account.accounts.models import Account
from django_account.accounts.services import lock_account
from django_account.conf import conf
from django_account.selfservice.profile import forget_last_factor
from django_account.sessions.services import end_sessions
from django_account.targets.services import move_address
from django_account.tokens.models import Token
from django_account.tokens.services import revoke_tokens

logger = logging.getLogger("django_account")


def user_saved(
    sender: type[Model],
    instance: Model,
    created: bool,
    raw: bool,
    update_fields: Iterable[str] | None,
    **kwargs: Any,
) -> None:
    """Receiver of ``post_save``: when it is a user, follow a new address or password."""
    if created or raw or not isinstance(instance, users.user_model()) or users.is_ours(instance):
        return
    field = users.email_field()
    follows_email = field is not None and (update_fields is None or field.name in update_fields)
    # Django keeps the clear password on the instance until the save is over, to tell a changed
    # password from a hash that was merely renewed.
    new_password = getattr(instance, "_password", None) is not None
    if not (follows_email or new_password):
        return
    account = Account.objects.filter(user=instance).first()
    if account is None:
        return
    account.user = instance
    if new_password:
        follow_password(account)
    if follows_email:
        follow_email(account)


def follow_password(account: Account) -> None:
    """The site set a new password: note when, and end the sessions if INVALIDATE_SESSIONS.

    Outstanding recovery tokens die with the old one.
    """
    account.password_changed_at = timezone.now()
    with transaction.atomic():
        Account.objects.filter(pk=account.pk).update(
            password_changed_at=account.password_changed_at,
            password_reset_required=False,
            updated_at=timezone.now(),
        )
        revoke_tokens(account=account, kinds=Token.RECOVERIES)
        if conf.invalidate_sessions:
            end_sessions(account=account)
        signals.send_on_commit(signals.account_updated, account=account, attribute="password")


def follow_email(account: Account) -> None:
    """The site changed the address: take it over, unverified.

    An address that another account has is left alone and logged: two people cannot sign in by one
    address, and the site's own save must not fail for it.
    """
    email = users.read_email(account.user)
    if email == account.email:
        return
    try:
        with transaction.atomic():
            was = lock_account(account)
            old = was.email
            Account.objects.filter(pk=account.pk).update(
                email=email, email_verified=False, updated_at=timezone.now()
            )
            move_address(account=account, provider_type="email", old=old, new=email)
            account.email = email
            revoke_tokens(account=account, address=old)
            forget_last_factor(was, "email")
            signals.send_on_commit(signals.account_updated, account=account, attribute="email")
    except IntegrityError:
        logger.warning(
            "The user of account %s got an e-mail address that another account has; "
            "the account keeps its own. Give the user another address.",
            account.public_id,
        )

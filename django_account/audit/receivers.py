"""What happens is written down: one entry for each act, by one INSERT.

An act that came through the API is told once, by the ``acted`` signal, under the name that its
endpoint declares. Acts of the site itself (the admin, a command, a service called from Python) are
told by the events of the domain; those that belong to an act of the API are marked as ``reported``
and pass by here.
"""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from django.db import router, transaction
from django.db.models import QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from django_account import signals
from django_account.accounts.models import Account
from django_account.audit.models import MAX_KEY_NAME, LogEntry
from django_account.conf import conf
from django_account.core.activity import MAX_REASON, Activity
from django_account.core.clients import MAX_USER_AGENT, ClientInfo
from django_account.core.compiled import CompiledInsert


def acted(activity: Activity, **kwargs: Any) -> None:
    """Receiver of ``acted``: write an entry for what was done, and for an attempt that failed."""
    if activity.error and not activity.is_attempt:
        return
    entry = LogEntry(
        event=activity.event,
        error=activity.error,
        at=activity.at,
        user_type=activity.user_type,
        mode=activity.mode,
        # An ephemeral key's may be longer than a stored one's.
        key_name=activity.key_name[:MAX_KEY_NAME],
        actor_id=activity.actor_id,
        reason=activity.reason[:MAX_REASON],
        session_id=activity.session_id,
        provider=activity.provider,
        ip=activity.client.ip,
        user_agent=activity.client.user_agent[:MAX_USER_AGENT],
        client=[] if activity.error else activity.client.details.as_list(),
        country_code=conf.country_lookup.locate(activity.client.ip),
        **whose(activity),
    )
    if activity.event == "user.delete" and conf.log_anonymise:
        for name, value in LogEntry.ANONYMOUS.items():
            setattr(entry, name, value)
    if activity.named:
        entry.save()
    else:
        _insert().run(router.db_for_write(LogEntry), entry)


@cache
def _insert() -> CompiledInsert:
    return CompiledInsert(LogEntry)


def whose(activity: Activity) -> dict[str, Any]:
    """The columns that tell whose account it was about.

    An account that was merely named is looked up by the INSERT itself.
    """
    account = activity.account
    if account is not None:
        return {
            "account_pk": account.pk,
            "user_id": account.public_id,
            "user_email": account.email or "",
            "user_phone": account.phone or "",
            "user_name": account.name,
        }
    if not activity.named:
        return {}
    matching = Account.objects.filter(**activity.named)
    columns = {
        "user_id": "public_id",
        "user_email": "email",
        "user_phone": "phone",
        "user_name": "name",
    }
    return {
        "account_pk": column_of(matching, "pk"),
        **{
            column: Coalesce(column_of(matching, name), Value(activity.named.get(name, "")))
            for column, name in columns.items()
        },
    }


def column_of(accounts: QuerySet[Account], name: str) -> Subquery:
    """One column of the one account, for use inside another statement."""
    return Subquery(accounts.values(name)[:1])


def by_site(event: str, account: Any, reported: bool, **values: Any) -> None:
    """Write an entry for an act of the site itself, unless an ``acted`` tells of it."""
    if not reported:
        acted(
            Activity(
                **{"event": event, "account": account, "user_type": "admin", "mode": "admin"}
                | values
            )
        )


def account_created(account: Any, reported: bool, **kwargs: Any) -> None:
    """Receiver of ``account_created``."""
    by_site("user.create", account, reported)


def account_updated(account: Any, attribute: str, reported: bool, **kwargs: Any) -> None:
    """Receiver of ``account_updated``."""
    is_verification = attribute.endswith("-verification")
    by_site("verification.update" if is_verification else "user.update", account, reported)


def session_created(account: Any, session: Any, reported: bool, **kwargs: Any) -> None:
    """Receiver of ``session_created``: a view of the site's own signs people in by our services."""
    by_server = {} if session.provider == "server" else {"user_type": "user", "mode": "default"}
    by_site(
        "session.create",
        account,
        reported,
        session_id=session.public_id,
        provider=session.provider,
        client=ClientInfo(session.ip, session.user_agent),
        **by_server,
    )


def impersonation_started(
    account: Any, session: Any, actor: Any, reason: str, **kwargs: Any
) -> None:
    """Receiver of ``impersonation_started``: no ``acted`` tells of it, whoever asked for it.

    It says who, but not from where: the person reads it, too.
    """
    by_site(
        "session.create",
        account,
        False,
        session_id=session.public_id,
        actor_id=actor.public_id,
        reason=reason,
    )


def session_updated(account: Any, session: Any, reported: bool, **kwargs: Any) -> None:
    """Receiver of ``session_updated``."""
    by_site(
        "session.update",
        account,
        reported,
        session_id=session.public_id,
        actor_id=session.actor_id,
    )


def session_deleted(account: Any, session: Any, reported: bool, **kwargs: Any) -> None:
    """Receiver of ``session_deleted``."""
    by_site(
        "session.delete",
        account,
        reported,
        session_id=session.public_id,
        actor_id=session.actor_id,
    )


def factors_changed(account: Any, reported: bool, **kwargs: Any) -> None:
    """Receiver of what is told of a person's second factors."""
    by_site("user.update", account, reported)


authenticator_added = authenticator_removed = recovery_codes_created = factors_changed


def account_anonymised(account: Any, reported: bool, **kwargs: Any) -> None:
    """Receiver of ``account_anonymised``."""
    by_site("user.update", account, reported)


def anonymise_requested(account: Account, **kwargs: Any) -> None:
    """Receiver of ``anonymise_requested``: the entries stay, and no longer tell whose they are."""
    LogEntry.objects.forget(account_pk=account.pk, public_id=account.public_id, email=account.email)


def challenge_completed(account: Any, session: Any, reported: bool, **kwargs: Any) -> None:
    """Receiver of ``challenge_completed``."""
    by_site("challenges.update", account, reported, session_id=session.public_id)


def identity_linked(account: Any, reported: bool, **kwargs: Any) -> None:
    """Receiver of ``identity_linked``."""
    by_site("identity.create", account, reported)


def identity_deleted(account: Any, reported: bool, **kwargs: Any) -> None:
    """Receiver of ``identity_deleted``."""
    by_site("identity.delete", account, reported)


def target_created(account: Any, reported: bool, **kwargs: Any) -> None:
    """Receiver of ``target_created``."""
    by_site("target.create", account, reported)


def target_updated(account: Any, reported: bool, **kwargs: Any) -> None:
    """Receiver of ``target_updated``."""
    by_site("target.update", account, reported)


def target_deleted(account: Any, reported: bool, **kwargs: Any) -> None:
    """Receiver of ``target_deleted``."""
    by_site("target.delete", account, reported)


def account_deleted(instance: Account, **kwargs: Any) -> None:
    """Receiver of Django's ``post_delete``: by our service or with the site's user, it is gone.

    Its entries stay for staff; with LOG_ANONYMISE they no longer tell whose they are.
    """
    gone = Account(
        pk=instance.pk,
        public_id=instance.public_id,
        email=instance.email,
        phone=instance.phone,
        name=instance.name,
    )
    if conf.log_anonymise:
        transaction.on_commit(
            partial(
                LogEntry.objects.forget,
                account_pk=gone.pk,
                public_id=gone.public_id,
                email=gone.email,
            ),
            robust=True,
        )
    transaction.on_commit(partial(by_site, "user.delete", gone, signals.is_reported()), robust=True)

"""What staff can do to an account: one small class for each act, one registry, one log.

An act is a subclass of :class:`Act`, entered by ``@register``. The admin of accounts
(``admin/accounts.py``) does the rest: a button on the account's page, an action of the list if it
may be done to many, a page that asks before it is done, and the check that whoever asks may do it,
with this person.

- Its permission is ``django_account.<name>_account`` unless it names another one; it has to be
  among ``Account.Meta.permissions``.
- It is done by a service, inside of a transaction of its own for each account, and raises the
  service's :class:`~django_account.exceptions.AccountError` where it is refused: nothing is half
  done, and of many accounts the others are done all the same.
- Two entries tell of it: in the activity log as ``event``, in Django's admin log as ``done``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from django import forms
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise

from django_account import signals
from django_account.accounts.models import Account
from django_account.admin.base import in_english
from django_account.core.activity import Activity

Text = str | Promise


class Act:
    """One thing that staff do to accounts.

    Attributes:
        name: in URLs, of the list's action, and of the permission.
        label: of the button.
        description: a sentence for the page that asks: what will happen.
        done: for the admin log and for the message afterwards, in the past tense.
        event: what the activity log calls it (core.activity.EVENTS); empty where the log has no
            word for it or the service writes an entry itself.
        flag: what the admin log calls it: CHANGE or DELETION.
        form_class: what has to be said besides; its values come to :meth:`run` as ``values``.
        dangerous: whether it cannot be taken back; the button is red, apart from the others.
        bulk: whether it may be done to many at once. What answers with a page or a file cannot.
        item: the name of the one field that says which of the account's things is meant, for acts
            that stand beside a thing and not among the buttons of the account.
        on_oneself: whether staff may do it to their own account.
    """

    name: ClassVar[str]
    label: ClassVar[Text]
    description: ClassVar[Text]
    done: ClassVar[Text]
    event: ClassVar[str] = "user.update"
    flag: ClassVar[int] = CHANGE
    form_class: ClassVar[type[forms.Form] | None] = None
    dangerous: ClassVar[bool] = False
    bulk: ClassVar[bool] = True
    item: ClassVar[str] = ""
    on_oneself: ClassVar[bool] = True

    @property
    def permission(self) -> str:
        """What whoever does it needs."""
        return f"django_account.{self.name}_account"

    @property
    def is_offered(self) -> bool:
        """Whether the site has it at all, by its settings."""
        return True

    def obstacle(self, account: Account) -> Text:
        """Why it cannot be done to an account just now; empty when it can. Without a query."""
        return ""

    def run(self, request: HttpRequest, account: Account, values: Mapping[str, Any]) -> Any:
        """Do it.

        Args:
            request: of the member of staff.
            account: with its user.
            values: the form's, cleaned.

        Returns:
            an answer of its own (a file, a redirect), or None to come back to the account.

        Raises:
            AccountError: it is refused; nothing has happened.
        """
        raise NotImplementedError

    def preview(self, accounts: Sequence[Account]) -> list[tuple[Text, int]]:
        """What goes with it: what, and how many. For the page that asks."""
        return []


registry: dict[str, Act] = {}

A = TypeVar("A", bound=type[Act])


def register(act: A) -> A:
    """Enter an act; later ones come further right. One of the same name takes its place."""
    registry[act.name] = act()
    return act


def in_order() -> list[Act]:
    """All acts, as they are shown: dangerous ones last."""
    return sorted(registry.values(), key=lambda act: act.dangerous)


def acts_of(user: Any) -> list[Act]:
    """What somebody may do, with anybody."""
    return [act for act in in_order() if act.is_offered and user.has_perm(act.permission)]


def perform(
    act: Act, request: HttpRequest, account: Account, values: Mapping[str, Any]
) -> HttpResponse | None:
    """Do it to one account, and write down who did.

    Raises:
        AccountError: it is refused; nothing has happened.
    """
    pk, public_id = account.pk, account.public_id
    with transaction.atomic():
        with signals.reporting():
            response: HttpResponse | None = act.run(request, account, values)
        if act.event:
            # Without the client: what people read of their own log does not tell where staff sit.
            activity = Activity(event=act.event, account=account, user_type="admin", mode="admin")
            signals.send_on_commit(signals.acted, activity=activity)
        note(request, pk, public_id, act.done, act.flag)
    return response


def note(request: HttpRequest, pk: int, public_id: str, message: Text, flag: int = CHANGE) -> None:
    """Write an entry into Django's admin log.

    It names the account by its id: nothing of a person stays behind when they are gone.
    """
    LogEntry.objects.create(
        user=request.user,  # type: ignore[misc]
        content_type=ContentType.objects.get_for_model(Account),
        object_id=str(pk),
        object_repr=public_id,
        action_flag=flag,
        change_message=in_english(message),
    )

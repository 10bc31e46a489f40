"""The activity log: what was done to whose account, by whom, from where."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, NoReturn

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_account.conf import conf
from django_account.core.activity import MAX_REASON
from django_account.core.clients import ClientDetails, ClientInfo
from django_account.core.fields import ExactCharField

# As long as a stored key's.
MAX_KEY_NAME = 128


class LogEntryQuerySet(models.QuerySet["LogEntry"]):
    """Entries, many at once. They are written once and never changed."""

    def of(self, account: Any) -> LogEntryQuerySet:
        """What was done to one account, newest first.

        By its row and not by its public id alone, which somebody else may choose once it is gone.
        """
        return self.filter(user_id=account.public_id, account_pk=account.pk).order_by("-pk")

    def old(self) -> LogEntryQuerySet:
        """Those that LOG_RETENTION lets go of; none while it is None."""
        kept = conf.log_retention
        return self.none() if kept is None else self.filter(at__lt=timezone.now() - kept)

    def purge(self) -> int:
        """Delete entries for good; returns how many. For the retention alone."""
        return super().delete()[0]

    def forget(self, *, account_pk: int, public_id: str, email: str | None) -> int:
        """Take everything that tells who it was out of a deleted or anonymised account's entries.

        What was tried at its address while nobody had it is included.

        Returns:
            how many entries were changed.
        """
        of_person = models.Q(user_id=public_id, account_pk=account_pk)
        if email:
            of_person |= models.Q(user_email=email, account_pk=None)
        acted = self.filter(actor_id=public_id)
        models.QuerySet.update(acted, actor_id="")
        return models.QuerySet.update(self.filter(of_person), **LogEntry.ANONYMOUS)

    def update(self, **kwargs: Any) -> NoReturn:
        """Refuse.

        Raises:
            TypeError: always.
        """
        refuse()

    def delete(self) -> NoReturn:
        """Refuse.

        Raises:
            TypeError: always.
        """
        refuse()


class LogEntry(models.Model):
    """One act, or one attempt that failed.

    It holds what was true when it happened, and refers to no row that could take it along when it
    goes or change what it says: whose it is stands there by value.
    """

    # What an entry says once the account is gone and LOG_ANONYMISE is on.
    ANONYMOUS = {
        "user_id": "",
        "user_email": "",
        "user_phone": "",
        "user_name": "",
        "ip": "",
        "user_agent": "",
        "client": [],
        "session_id": "",
        "reason": "",
    }

    event = models.CharField(_("event"), max_length=32)
    # The type of the error that refused it; empty when it was done.
    error = models.CharField(_("error"), max_length=64, blank=True)
    at = models.DateTimeField(_("time"), default=timezone.now, db_index=True)
    # The account's row, which may be gone; None for an attempt at an account that nobody has.
    account_pk = models.BigIntegerField(_("account number"), null=True, blank=True)
    # Of the account; of what an attempt named, where there is no account.
    user_id = ExactCharField(_("account id"), max_length=36, blank=True)
    user_email = models.CharField(_("e-mail address"), max_length=254, blank=True)
    user_phone = models.CharField(_("phone number"), max_length=16, blank=True)
    user_name = models.CharField(_("name"), max_length=128, blank=True)
    user_type = models.CharField(_("done by"), max_length=16)
    mode = models.CharField(_("mode"), max_length=8, default="default")
    key_name = models.CharField(_("API key"), max_length=MAX_KEY_NAME, blank=True)
    # Of the impersonator, where it was not done by its owner. It says nothing of whose it is.
    actor_id = ExactCharField(_("impersonator's id"), max_length=36, blank=True)
    # Why a member of staff did it.
    reason = models.CharField(_("reason"), max_length=MAX_REASON, blank=True)
    session_id = models.CharField(_("session id"), max_length=36, blank=True)
    # Of the session that a sign-in made.
    provider = models.CharField(_("provider"), max_length=32, blank=True)
    ip = models.CharField(_("IP address"), max_length=45, blank=True)
    user_agent = models.TextField(_("user agent"), blank=True)
    # The user agent taken apart: the values of core.clients.ClientDetails. Empty for an attempt
    # that failed, which is taken apart when somebody looks: whoever knocks in vain a thousand times
    # a minute shall not have a parser work for them, too.
    client = models.JSONField(default=list, blank=True, editable=False)
    country_code = models.CharField(max_length=2, default="--")

    objects = LogEntryQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("log entry"), _("log entries")
        indexes = [
            # A person's list, newest first; and staff's search by id.
            models.Index(fields=["user_id", "account_pk", "-id"], name="log_of_account"),
            models.Index(fields=["user_email"], name="log_by_email"),
            models.Index(fields=["ip"], name="log_by_ip"),
            models.Index(
                fields=["actor_id"], condition=~models.Q(actor_id=""), name="log_by_actor"
            ),
            # Staff's filters: what is rare is found without reading the whole log.
            models.Index(fields=["event", "-id"], name="log_by_event"),
            models.Index(fields=["-id"], condition=~models.Q(error=""), name="log_of_failures"),
        ]

    def __str__(self) -> str:
        whose = self.user_email or self.user_id
        return f"{self.title} ({whose})" if whose else self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write a new entry.

        Raises:
            TypeError: it has been written before.
        """
        if not self._state.adding:
            refuse()
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse.

        Raises:
            TypeError: always.
        """
        refuse()

    @property
    def title(self) -> str:
        """The event's name; an attempt that failed is called ``session.create.failed``."""
        return f"{self.event}.failed" if self.error else self.event

    @property
    def client_details(self) -> ClientDetails:
        """The user agent, taken apart."""
        if len(self.client) == len(fields(ClientDetails)):
            return ClientDetails(*self.client)
        return ClientInfo(user_agent=self.user_agent).details


def refuse() -> NoReturn:
    """Say that the log only grows.

    Raises:
        TypeError: always.
    """
    raise TypeError("The activity log is append-only; only LOG_RETENTION lets entries go.")

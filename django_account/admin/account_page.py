"""What the page of one account shows below its form: a table for each kind of thing it has.

One statement for each table, and never a secret: neither digests nor sealed columns are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from django_account.accounts.models import Account
from django_account.admin.acts import Act
from django_account.audit.models import LogEntry
from django_account.core.clients import ClientDetails
from django_account.core.geo import UNKNOWN_COUNTRY
from django_account.identities.models import Identity
from django_account.mfa.models import Authenticator, GuessCount, RecoveryCode
from django_account.notifications.models import Delivery
from django_account.sessions.models import Session
from django_account.targets.models import Target
from django_account.tokens.models import Token

# Rows of a table; of the rest it is said that they are there.
MAX_ROWS = 25

# What is shown of a push target: enough to tell two apart, too little to send to one.
PUSH_SHOWN = 12

# An act of a name beside a thing of an id.
ActOn = Callable[[str, str], "tuple[Act, str] | None"]


@dataclass(frozen=True, slots=True)
class Row:
    """One thing.

    Attributes:
        cells: texts and moments.
        act: what stands beside it, and where that is done; None for who may not do it.
    """

    cells: list[Any]
    act: tuple[Act, str] | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """One table.

    Attributes:
        title: above it.
        columns: their headings.
        rows: newest first.
        more: whether there are more than are shown.
        link: where all of them are, and what the link says.
    """

    title: str
    columns: list[str]
    rows: list[Row] = field(default_factory=list)
    more: bool = False
    link: tuple[str, str] | None = None


def panels(
    request: HttpRequest, account: Account, site: str, acts: Mapping[str, Act]
) -> Iterator[Panel]:
    """The tables that whoever asks may see.

    Args:
        site: the name of the admin site.
        acts: those that whoever asks may do to things of this account.
    """

    def act_on(name: str, public_id: str) -> tuple[Act, str] | None:
        act = acts.get(name)
        if act is None:
            return None
        url = reverse(f"{site}:django_account_account_act", args=[account.pk, name])
        return act, f"{url}?{urlencode({act.item: public_id})}"

    yield sessions(account, act_on)
    yield identities(account, act_on)
    yield factors(account)
    yield targets(account)
    yield tokens(account)
    if request.user.has_perm("django_account.view_delivery"):
        yield deliveries(account)
    if request.user.has_perm("django_account.view_logentry"):
        yield activity(account, site)


def shown(rows: QuerySet[Any]) -> tuple[list[Any], bool]:
    """The newest rows, and whether there are more."""
    found = list(rows.order_by("-pk")[: MAX_ROWS + 1])
    return found[:MAX_ROWS], len(found) > MAX_ROWS


def sessions(account: Account, act_on: ActOn) -> Panel:
    found, more = shown(Session.objects.filter(account=account).defer("secret_digest"))
    rows = [
        Row(
            [
                session.provider,
                device(session.client_details),
                place(session.ip, session.country_code),
                ", ".join(map(str, session.factors)),
                session.created_at,
                _("expired") if session.is_expired else session.expires_at,
            ],
            act_on("end_session", session.public_id),
        )
        for session in found
    ]
    columns = [_("By"), _("Device"), _("Place"), _("Factors"), _("Since"), _("Until")]
    # Not "Sessions", which django.contrib.sessions leaves in English in some languages.
    return Panel(capfirst(_("sessions")), columns, rows, more)


def identities(account: Account, act_on: ActOn) -> Panel:
    found, more = shown(Identity.objects.filter(account=account))
    rows = [
        Row(
            [
                identity.provider,
                identity.provider_uid,
                marked(identity.provider_email, identity.email_verified),
                identity.created_at,
            ],
            act_on("unlink_identity", identity.public_id),
        )
        for identity in found
    ]
    return Panel(
        _("Identities"), [_("Provider"), _("Id there"), _("E-mail"), _("Since")], rows, more
    )


def factors(account: Account) -> Panel:
    """By what the person could prove more than a password, and how many wrong answers there are."""
    rows = []
    for device in Authenticator.objects.filter(user=account.user_id).defer("seed"):
        state = _("confirmed") if device.confirmed else _("unconfirmed")
        rows.append(Row([_("Authenticator app"), state, device.created_at]))
    for name, address, verified in (
        (_("E-mail"), account.email, account.email_verified),
        (_("Phone"), account.phone, account.phone_verified),
    ):
        if address:
            rows.append(Row([name, _("verified") if verified else _("unverified"), ""]))
    if codes := RecoveryCode.objects.filter(account=account).count():
        rows.append(Row([_("Recovery codes"), _("%(number)d left") % {"number": codes}, ""]))
    wrong = GuessCount.objects.filter(user=account.user_id).first()
    if wrong is not None and wrong.count and wrong.since > timezone.now() - GuessCount.WINDOW:
        rows.append(Row([_("Wrong answers in this hour"), str(wrong.count), wrong.since]))
    return Panel(_("Second factors"), [_("Factor"), _("State"), _("Since")], rows)


def targets(account: Account) -> Panel:
    found, more = shown(Target.objects.filter(account=account))
    rows = [
        Row(
            [
                target.get_provider_type_display(),
                reachable_at(target),
                target.name,
                _("expired") if target.expired else "",
                target.created_at,
            ]
        )
        for target in found
    ]
    return Panel(
        _("Targets"), [_("Kind"), _("Address"), _("Name"), _("State"), _("Since")], rows, more
    )


def tokens(account: Account) -> Panel:
    """Secrets that are on their way, and would still work; never the secrets."""
    usable = Token.objects.usable().filter(account=account).defer("secret_digest")
    found, more = shown(usable)
    rows = [Row([token.kind, token.address, token.created_at, token.expires_at]) for token in found]
    return Panel(
        _("One-time secrets"), [_("Kind"), _("Sent to"), _("Issued"), _("Until")], rows, more
    )


def deliveries(account: Account) -> Panel:
    found, more = shown(Delivery.objects.filter(account=account).defer("payload"))
    rows = [
        Row(
            [
                delivery.created_at,
                delivery.kind,
                delivery.recipient,
                delivery.get_state_display(),
                str(delivery.tries),
                delivery.error,
            ]
        )
        for delivery in found
    ]
    columns = [_("Time"), _("Kind"), _("To"), _("State"), _("Tries"), _("Error")]
    return Panel(_("Messages"), columns, rows, more)


def activity(account: Account, site: str) -> Panel:
    found, more = shown(LogEntry.objects.of(account))
    rows = [
        Row(
            [
                entry.at,
                entry.title,
                entry.error,
                entry.actor_id or entry.key_name or entry.user_type,
                place(entry.ip, entry.country_code),
                device(entry.client_details),
            ]
        )
        for entry in found
    ]
    columns = [_("Time"), _("Event"), _("Error"), _("Who"), _("Place"), _("Device")]
    all_of_them = reverse(f"{site}:django_account_logentry_changelist")
    link = f"{all_of_them}?{urlencode({'q': account.public_id})}"
    return Panel(_("Activity"), columns, rows, more, (link, _("The whole log")))


def device(details: ClientDetails) -> str:
    parts = (details.client_name, details.os_name, details.device_brand, details.device_model)
    return ", ".join(filter(None, map(str, parts)))


def place(ip: str, country_code: str) -> str:
    country = "" if country_code == UNKNOWN_COUNTRY else country_code.upper()
    return ", ".join(filter(None, (ip, country)))


def reachable_at(target: Target) -> str:
    """A target's address; of a device's token its beginning, as whoever has it can send to it."""
    whole = target.identifier
    is_secret = target.provider_type == Target.ProviderType.PUSH and len(whole) > PUSH_SHOWN
    return f"{whole[:PUSH_SHOWN]}…" if is_secret else whole


def marked(address: str, verified: bool) -> str:
    """An address, and whether it is proven."""
    if not address:
        return ""
    return f"{address} ({_('verified') if verified else _('unverified')})"


def user_page(request: HttpRequest, account: Account, admin_site: Any) -> str:
    """Where the site's own admin has the account's user; empty where it has none, or shows whoever
    asks none."""
    user_model = get_user_model()
    page = admin_site._registry.get(user_model)
    if page is None or not page.has_view_or_change_permission(request, account.user):
        return ""
    name = f"{admin_site.name}:{user_model._meta.app_label}_{user_model._meta.model_name}_change"
    try:
        return reverse(name, args=[account.user_id])
    except NoReverseMatch:
        return ""

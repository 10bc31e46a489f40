"""People as other systems export them, and as we do.

Each function takes one exported row and returns a :class:`Record`; what is missing stays empty.
"""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from django_account.accounts.hashers import KINDS, describe, require_affordable
from django_account.accounts.models import Account
from django_account.accounts.passwords import stored_password
from django_account.core.times import iso
from django_account.exceptions import InvalidArgument

Row = Mapping[str, Any]


@dataclass(slots=True)
class Record:
    """A person to be imported.

    Attributes:
        account_id: empty for a new one.
        password: as accounts.hashers stores it; empty for a person without one.
    """

    account_id: str = ""
    email: str = ""
    phone: str = ""
    name: str = ""
    is_active: bool = True
    email_verified: bool = False
    phone_verified: bool = False
    labels: list[str] = field(default_factory=list)
    prefs: dict[str, Any] = field(default_factory=dict)
    registered_at: datetime | None = None
    password_changed_at: datetime | None = None
    password: str = field(default="", repr=False)


def from_appwrite(row: Row, options: Row) -> Record:
    """A user of Appwrite's Users API, and of :func:`to_appwrite`; also CSV with these headings."""
    hashed, kind = _text(row.get("password")), _text(row.get("hash"))
    return Record(
        account_id=_text(row.get("$id") or row.get("id")),
        email=_text(row.get("email")),
        phone=_text(row.get("phone")),
        name=_words(row.get("name")),
        is_active=_flag(row.get("status"), default=True),
        email_verified=_flag(row.get("emailVerification")),
        phone_verified=_flag(row.get("phoneVerification")),
        labels=_json(row.get("labels"), list),
        prefs=_json(row.get("prefs"), dict),
        registered_at=_moment(row.get("registration") or row.get("$createdAt")),
        password_changed_at=_moment(row.get("passwordUpdate")),
        password=_taken(kind, hashed, _json(row.get("hashOptions"), dict)) if hashed else "",
    )


def from_supabase(row: Row, options: Row) -> Record:
    """A row of Supabase's ``auth.users``."""
    about = _json(row.get("raw_user_meta_data"), dict)
    phone, hashed = _text(row.get("phone")), _text(row.get("encrypted_password"))
    banned_until = _moment(row.get("banned_until"))
    return Record(
        account_id=_text(row.get("id")),
        email=_text(row.get("email")),
        # Supabase leaves the plus sign out.
        phone=f"+{phone.lstrip('+')}" if phone else "",
        name=_words(about.get("name") or about.get("full_name")),
        is_active=banned_until is None or banned_until <= datetime.now(UTC),
        email_verified=bool(row.get("email_confirmed_at")),
        phone_verified=bool(row.get("phone_confirmed_at")),
        registered_at=_moment(row.get("created_at")),
        password=_taken("bcrypt", hashed, {}) if hashed else "",
    )


def from_auth0(row: Row, options: Row) -> Record:
    """A user of Auth0's export, with the hashes that their support adds."""
    user_id = row.get("user_id") or row.get("_id") or ""
    if isinstance(user_id, Mapping):
        user_id = user_id.get("$oid", "")
    hashed = _text(row.get("passwordHash"))
    return Record(
        # Without the connection's name, whose "|" no id of ours may hold.
        account_id=_text(user_id).rpartition("|")[2],
        email=_text(row.get("email")),
        phone=_text(row.get("phone_number")),
        name=_words(row.get("name")),
        is_active=not _flag(row.get("blocked")),
        email_verified=_flag(row.get("email_verified")),
        phone_verified=_flag(row.get("phone_verified")),
        prefs=_json(row.get("user_metadata"), dict),
        registered_at=_moment(_unwrapped(row.get("created_at"))),
        password_changed_at=_moment(_unwrapped(row.get("password_set_date"))),
        password=_taken("bcrypt", hashed, {}) if hashed else "",
    )


def from_firebase(row: Row, options: Row) -> Record:
    """A user of ``firebase auth:export --format=json``.

    Args:
        options: ``signer_key`` and ``salt_separator`` of the project's password hash parameters.
    """
    hashed = _text(row.get("passwordHash"))
    if hashed and not options.get("signer_key"):
        raise InvalidArgument(
            "signer_key", "Passwords of Firebase need the project's --signer-key."
        )
    parameters = {
        "salt": _standard_base64(_text(row.get("salt"))),
        "saltSeparator": options.get("salt_separator") or "Bw==",
        "signerKey": options.get("signer_key") or "",
    }
    milliseconds = _text(row.get("createdAt"))
    return Record(
        account_id=_text(row.get("localId")),
        email=_text(row.get("email")),
        phone=_text(row.get("phoneNumber")),
        name=_words(row.get("displayName")),
        is_active=not _flag(row.get("disabled")),
        email_verified=_flag(row.get("emailVerified")),
        phone_verified=bool(row.get("phoneNumber")),
        registered_at=(
            datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
            if milliseconds.isdigit() and len(milliseconds) < 15
            else None
        ),
        password=(_taken("scryptMod", _standard_base64(hashed), parameters) if hashed else ""),
    )


SHAPES: dict[str, Callable[[Row, Row], Record]] = {
    "appwrite": from_appwrite,
    "supabase": from_supabase,
    "auth0": from_auth0,
    "firebase": from_firebase,
}


def recognize(row: Row) -> str:
    """Which system a row comes from, by the keys that only it has."""
    if "localId" in row:
        return "firebase"
    if "encrypted_password" in row or "raw_user_meta_data" in row:
        return "supabase"
    if "user_id" in row or "_id" in row:
        return "auth0"
    return "appwrite"


def to_appwrite(account: Account, *, passwords: bool) -> dict[str, Any]:
    """A person as Appwrite's Users API has them.

    Args:
        account: with its user.
        passwords: whether the hash of the password is part of it.
    """
    hashed, kind, options = describe(stored_password(account))
    row: dict[str, Any] = {
        "$id": account.public_id,
        "name": account.name,
        "email": account.email or "",
        "phone": account.phone or "",
        "status": account.is_active,
        "emailVerification": account.email_verified,
        "phoneVerification": account.phone_verified,
        "labels": account.labels,
        "prefs": account.prefs,
        "registration": iso(account.registered_at),
        "passwordUpdate": iso(account.password_changed_at),
    }
    if passwords and hashed is not None:
        row |= {"password": hashed, "hash": kind, "hashOptions": options}
    return row


def _taken(kind: str, hashed: str, options: Row) -> str:
    """The stored form of a hash; of a kind that only Django knows, itself."""
    if kind not in KINDS:
        require_affordable(hashed)
        return hashed
    wanted = KINDS[kind].parameters
    if missing := [name for name in wanted if name not in options and name != "version"]:
        raise InvalidArgument("hashOptions", f"They lack {', '.join(missing)}.")
    parameters = {
        name: each(options.get(name) or "sha256") if name == "version" else each(options[name])
        for name, each in wanted.items()
    }
    return KINDS[kind].take(hashed, parameters)


def _words(value: Any) -> str:
    return "" if value is None else str(value)


def _text(value: Any) -> str:
    return _words(value).strip()


def _flag(value: Any, *, default: bool = False) -> bool:
    """A boolean, also as CSV and SQL spell it."""
    if value is None or value == "":
        return default
    return str(value).lower() in ("true", "t", "1", "yes")


def _json(value: Any, kind: type) -> Any:
    """A list or an object, also as JSON in a column of a CSV file.

    Raises:
        InvalidArgument: it is something else.
    """
    if value in (None, "", []):
        return kind()
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, kind):
        raise InvalidArgument("row", f"{value!r:.50} is no JSON {kind.__name__}.")
    return found


def _moment(value: Any) -> datetime | None:
    """A moment of ISO 8601 or of SQL."""
    try:
        moment = parse_datetime(_text(value))
    except ValueError:
        return None
    if moment is None:
        return None
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        # Before the year 1 or after the year 9999, there.
        return None


def _unwrapped(value: Any) -> Any:
    """What MongoDB writes as ``{"$date": …}``."""
    return value.get("$date") if isinstance(value, Mapping) else value


def _standard_base64(text: str) -> str:
    """Firebase writes the URL-safe alphabet."""
    try:
        return b64encode(urlsafe_b64decode(text.replace("+", "-").replace("/", "_"))).decode()
    except ValueError:
        raise InvalidArgument("passwordHash", "Value must be Base64.") from None

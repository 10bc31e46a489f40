"""The bridge to the site's own user model, whatever it is.

Nothing else in the package touches a field of the user model by name.
"""

from __future__ import annotations

import secrets
from typing import Any, TypeAlias

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field, QuerySet

from django_account.conf import conf
from django_account.core import emails, phones
from django_account.core.ids import is_unique_id, unique_id

# Whatever AUTH_USER_MODEL is: only the site knows its type.
SiteUser: TypeAlias = Any

# RFC 2606 reserves the domain: mail sent there goes nowhere, and we never send any.
PLACEHOLDER_DOMAIN = "users.invalid"


def user_model() -> Any:
    """The site's ``AUTH_USER_MODEL``."""
    return get_user_model()


def find_field(name: str) -> Field[Any, Any] | None:
    """A concrete field of the user model; None when it has none of that name."""
    try:
        field = user_model()._meta.get_field(name) if name else None
    except FieldDoesNotExist:
        return None
    return field if isinstance(field, Field) else None


def email_field() -> Field[Any, Any] | None:
    """The user model's e-mail field."""
    return find_field(user_model().get_email_field_name())


def phone_field() -> Field[Any, Any] | None:
    """The user model's phone field, as USER_PHONE_FIELD names it."""
    return find_field(conf.user_phone_field)


def username_field() -> Field[Any, Any] | None:
    """The field a person of the site signs in by; it is always filled and unique."""
    return find_field(user_model().USERNAME_FIELD)


def new_user(*, account_id: str, email: str | None, phone: str | None, name: str) -> SiteUser:
    """An unsaved user for a new account.

    A username is generated, never taken from the client: "admin" must stay free. An address that
    the model insists on becomes a placeholder, and NEW_USER_FIELDS fills what else it requires.
    """
    values: dict[str, Any] = {}
    for field, value in ((email_field(), email), (phone_field(), phone)):
        if field is not None:
            values[field.name] = _stored(field, value, account_id)
    username = username_field()
    if username is not None and username.name not in values:
        values[username.name] = _generated(username)
    if conf.new_user_fields is not None:
        values |= conf.new_user_fields(account_id=account_id, email=email, phone=phone, name=name)
    return user_model()(**values)


def write_address(
    user: SiteUser, field: Field[Any, Any] | None, value: str | None, account_id: str
) -> None:
    """Write an e-mail address or phone number through to the user, if its model has the field."""
    if field is not None:
        setattr(user, field.name, _stored(field, value, account_id))
        save(user, [field.name])


def make_anonymous(user: SiteUser, account_id: str) -> None:
    """Take what tells who it is from the fields that Django's own user models have: addresses,
    names, and a username unless it was generated. The user is saved.

    What else a site's model holds is for the site to see to (signals.anonymise_requested).
    """
    values: dict[str, Any] = {}
    for field in (email_field(), phone_field()):
        if field is not None:
            values[field.name] = _stored(field, None, account_id)
    username = username_field()
    if username is not None and username.name not in values:
        present = getattr(user, username.name)
        says_who = not (isinstance(present, str) and is_unique_id(present))
        values[username.name] = _generated(username) if says_who else present
    for name in ("first_name", "last_name"):
        if find_field(name) is not None:
            values[name] = ""
    for name, value in values.items():
        setattr(user, name, value)
    save(user, list(values))


def save(user: SiteUser, fields: list[str] | None = None) -> None:
    """Save a user as ours, so that ``is_ours`` can tell it from a change that the site makes.

    Args:
        fields: those to write; None inserts a new user.
    """
    user._saved_by_django_account = True
    try:
        if fields is None:
            user.save(force_insert=True)
        else:
            user.save(update_fields=fields)
    finally:
        del user._saved_by_django_account


def is_ours(user: SiteUser) -> bool:
    """Whether the save under way is one of ours."""
    return getattr(user, "_saved_by_django_account", False)


def read_email(user: SiteUser) -> str | None:
    """The user's address in normal form; None when it has none, or no usable one."""
    field = email_field()
    raw = getattr(user, field.name) if field is not None else None
    if not raw or raw.endswith("@" + PLACEHOLDER_DOMAIN):
        return None
    try:
        return emails.normalize(raw)
    except ValueError:
        return None


def read_phone(user: SiteUser) -> str | None:
    """The user's number in E.164; None when it has none, no usable one, or shares it."""
    field = phone_field()
    raw = getattr(user, field.name) if field is not None else None
    if field is None or not isinstance(raw, str) or not phones.is_phone(raw):
        return None
    same = user_model()._default_manager.filter(**{field.name: raw}).exclude(pk=user.pk)
    return None if not field.unique and same.exists() else raw


def read_name(user: SiteUser) -> str:
    """The user's name for display; empty when the model has none."""
    get_full_name = getattr(user, "get_full_name", None)
    return (get_full_name() or "")[:128] if callable(get_full_name) else ""


def fits(email: str) -> bool:
    """Whether the user model's e-mail column can hold an address: it is wide enough for it, and the
    address is no placeholder, which would be another account's and is never mailed."""
    if email.endswith("@" + PLACEHOLDER_DOMAIN):
        return False
    field = email_field()
    return field is None or field.max_length is None or len(email) <= field.max_length


def few_with(name: str, value: bool, *, most: int) -> list[Any] | None:
    """The keys of the users whose field has a value; None when there are as many as ``most``."""
    # Not by the manager that the site's own code calls, which may hide some of them.
    found = user_model()._base_manager.filter(**{name: value}).order_by()
    keys = list(found.values_list("pk", flat=True)[:most])
    return keys if len(keys) < most else None


def with_or_without_account() -> QuerySet[Any]:
    """All users of the site, those with an account with it."""
    everybody: QuerySet[Any] = user_model()._default_manager.select_related("django_account")
    return everybody


def without_account() -> QuerySet[Any]:
    """Users that existed before the app was installed and have not been adopted yet."""
    pending: QuerySet[Any] = user_model()._default_manager.filter(django_account__isnull=True)
    return pending


def find_without_account(*, email: str | None = None, phone: str | None = None) -> SiteUser | None:
    """The one user without an account that has this address or number.

    Returns:
        None when there is none, or more than one: then nobody can tell which of them is meant, and
        ``manage.py adoptusers`` reports them.
    """
    found = _holders(without_account(), email, phone) if conf.adopt_users else []
    return found[0] if len(found) == 1 else None


def has_user_with(*, email: str | None = None, phone: str | None = None) -> bool:
    """Whether a user without an account has this address or number, so that nobody else may take
    it."""
    if not conf.adopt_users:
        return False
    people = without_account()
    return bool(_holders(people, email, None) or _holders(people, None, phone))


def is_stored(*, email: str | None, phone: str | None) -> bool:
    """Whether some user has an address or number that the database may take for one of these."""
    people: QuerySet[Any] = user_model()._default_manager.all()
    return _alike(people, email, None).exists() or _alike(people, None, phone).exists()


def _holders(people: QuerySet[Any], email: str | None, phone: str | None) -> list[SiteUser]:
    """Those of some users that have an address in normal form or, when that is None, a number; of
    the first ten that look like it.

    A database folds more than ASCII case: to PostgreSQL a dotless i is an i in capitals, MariaDB
    drops accents. Somebody else's address must not open this user's account.
    """
    alike = _alike(people, email, phone)[:10]
    return [user for user in alike if email is None or read_email(user) == email]


def _alike(people: QuerySet[Any], email: str | None, phone: str | None) -> QuerySet[Any]:
    field = email_field() if email is not None else phone_field()
    if field is None or (email is None and phone is None):
        return people.none()
    condition = {f"{field.name}__iexact": email} if email is not None else {field.name: phone}
    return people.filter(**condition)


def _stored(field: Field[Any, Any], value: str | None, account_id: str) -> str | None:
    """What a column holds for an address: itself, or the least that the column accepts."""
    if value is not None:
        return value
    if field.null:
        return None
    if not (field.unique or field.name == user_model().USERNAME_FIELD or not field.blank):
        return ""
    if field is email_field():
        # Ids may differ in case only, addresses must not.
        local = account_id if account_id == account_id.lower() else unique_id()
        return f"{local}@{PLACEHOLDER_DOMAIN}"
    return _generated(field)


def _generated(field: Field[Any, Any]) -> str:
    """A value that nobody else has: an id where it fits, random digits where it does not."""
    generated, width = unique_id(), field.max_length
    return generated if not width or len(generated) <= width else secrets.token_hex(width)[:width]

"""Parameters: what may stand in a request, and how a wrong one is refused (core.md §3.1 and §6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, NoReturn

from rest_framework import serializers

from django_account.accounts import passwords
from django_account.api.platforms import is_allowed_url
from django_account.core import emails, phones
from django_account.core.ids import UNIQUE, is_valid_id
from django_account.core.json_values import is_storable, prefs_problem
from django_account.core.labels import labels_problem
from django_account.exceptions import InvalidArgument

ABSENT = serializers.empty


class Params(serializers.Serializer[Any]):
    """The parameters of one endpoint, in the order in which they are checked.

    One instance serves every request: reading keeps no state.
    """

    def read(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Check parameters.

        Args:
            given: what the request holds; what the endpoint does not know is ignored.

        Returns:
            a value for each declared parameter; the default where it is absent.

        Raises:
            InvalidArgument: the first parameter that is missing or wrong.
        """
        values = {}
        for name, field in self.fields.items():
            value = given.get(name, ABSENT)
            # An explicit null is as good as nothing; an empty string is a value.
            if value is ABSENT or value is None:
                if field.required:
                    raise InvalidArgument(name)
                values[name] = None if field.default is ABSENT else field.default
                continue
            try:
                values[name] = field.run_validation(value)
            except serializers.ValidationError as error:
                detail: Any = error.detail
                raise InvalidArgument(name, str(detail[0])) from None
        return values


class StringParam(serializers.CharField):
    """A string of a certain length. Only strings are strings: no numbers, no trimming."""

    def __init__(self, *, min_chars: int = 0, max_chars: int | None = None, **kwargs: Any) -> None:
        self.min_chars, self.max_chars = min_chars, max_chars
        super().__init__(allow_blank=True, trim_whitespace=False, **kwargs)

    def run_validation(self, data: Any = ABSENT) -> Any:
        # CharField's own rules would turn numbers into strings first.
        return self.to_internal_value(data)

    def to_internal_value(self, data: Any) -> str:
        """Check the type, the length and that a database can hold the text.

        Raises:
            ValidationError: any of them is wrong.
        """
        if not isinstance(data, str):
            refuse("Value must be a valid string.")
        if not is_storable(data):
            refuse("Value must not contain null characters or lone surrogates.")
        if len(data) < self.min_chars or (self.max_chars and len(data) > self.max_chars):
            refuse(
                f"Value must be a valid string between {self.min_chars} "
                f"and {self.max_chars} characters long."
            )
        return data


class IdParam(StringParam):
    """The id of something that exists; ``current`` is one too."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or not is_valid_id(data):
            refuse(
                "An id has at most 36 characters of a-z, A-Z, 0-9, period, hyphen and underscore, "
                "and does not start with a special character."
            )
        return data


class NewIdParam(IdParam):
    """An id that the client chooses, or ``unique()`` to leave the choice to the server."""

    def to_internal_value(self, data: Any) -> str:
        return UNIQUE if data == UNIQUE else super().to_internal_value(data)


class EmailParam(StringParam):
    """An e-mail address; read in normal form."""

    def to_internal_value(self, data: Any) -> str:
        try:
            return emails.normalize(super().to_internal_value(data))
        except ValueError:
            refuse("Value must be a valid email address")


class PhoneParam(StringParam):
    """A phone number in E.164."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or not phones.is_phone(data):
            refuse(
                "A phone number starts with '+', then the country calling code, "
                "and has at most fifteen digits."
            )
        return data


class OptionalPhoneParam(PhoneParam):
    """A phone number, or an empty string to take it away."""

    def to_internal_value(self, data: Any) -> str:
        return "" if data == "" else super().to_internal_value(data)


class OptionalEmailParam(EmailParam):
    """An e-mail address, or an empty string to take it away."""

    def to_internal_value(self, data: Any) -> str:
        return "" if data == "" else super().to_internal_value(data)


class ChoiceParam(StringParam):
    """One of some words, read as the word is listed.

    Args:
        exact: whether case counts.
    """

    def __init__(self, choices: Iterable[str], *, exact: bool = False, **kwargs: Any) -> None:
        self.choices = {choice if exact else choice.lower(): choice for choice in choices}
        self.exact = exact
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        given = data if self.exact or not isinstance(data, str) else data.lower()
        if not isinstance(data, str) or given not in self.choices:
            refuse(f"Value must be one of ({', '.join(self.choices.values())})")
        return self.choices[given]


class LabelsParam(serializers.ListField):
    """At most 1000 labels of 1 to 36 ASCII letters and digits each."""

    child = serializers.CharField()

    def run_validation(self, data: Any = ABSENT) -> Any:
        if problem := labels_problem(data):
            refuse(problem)
        return data


class PasswordParam(StringParam):
    """A password that somebody has: 8 to 256 bytes."""

    def to_internal_value(self, data: Any) -> str:
        password = super().to_internal_value(data)
        if not passwords.MIN_LENGTH <= len(password.encode()) <= passwords.MAX_LENGTH:
            refuse("Password must be between 8 and 256 characters long.")
        return password


class NewPasswordParam(StringParam):
    """A password to be: the strength and dictionary rules apply."""

    def to_internal_value(self, data: Any) -> str:
        password = super().to_internal_value(data)
        if (rule := passwords.broken_rule(password)) is not None:
            refuse(rule)
        return password


class OptionalPasswordParam(NewPasswordParam):
    """A password to be, or an empty string to take it away."""

    def to_internal_value(self, data: Any) -> str:
        return "" if data == "" else super().to_internal_value(data)


class HashParam(StringParam):
    """A hash made elsewhere: 8 to 256 bytes."""

    def to_internal_value(self, data: Any) -> str:
        hashed = super().to_internal_value(data)
        if not 8 <= len(hashed.encode()) <= 256:
            refuse("A hash must be between 8 and 256 bytes long.")
        return hashed


class RedirectParam(StringParam):
    """A URL of the project's own pages and apps, to which a link may lead."""

    def to_internal_value(self, data: Any) -> str:
        url = super().to_internal_value(data)
        if not is_allowed_url(url):
            refuse(
                "Invalid URI. Register the new host or scheme as a platform of this project "
                "(PLATFORMS) and use its full address."
            )
        return url


class StringsParam(serializers.ListField):
    """A list of strings."""

    def __init__(self, *, max_items: int, max_chars: int, **kwargs: Any) -> None:
        self.max_items = max_items
        self.item = StringParam(min_chars=1, max_chars=max_chars)
        super().__init__(child=serializers.CharField(), **kwargs)

    def run_validation(self, data: Any = ABSENT) -> Any:
        if not isinstance(data, list) or len(data) > self.max_items:
            refuse(f"Value must be a valid array of at most {self.max_items} items.")
        return [self.item.to_internal_value(item) for item in data]


class PrintableParam(StringParam):
    """Text of printable ASCII (RFC 6749, appendix A.5)."""

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if not (text.isascii() and text.isprintable()):
            refuse("Value must hold printable ASCII characters only.")
        return text


class StrictBooleanParam(serializers.BooleanField):
    """``true`` or ``false`` of JSON, nothing that looks like them."""

    def run_validation(self, data: Any = ABSENT) -> Any:
        if not isinstance(data, bool):
            refuse("Value must be a valid boolean")
        return data


class BooleanParam(serializers.BooleanField):
    """A boolean as query strings and forms spell it: true, false, 1 or 0."""

    SPELLINGS = {"true": True, "1": True, "false": False, "0": False}

    def run_validation(self, data: Any = ABSENT) -> Any:
        value = (
            self.SPELLINGS.get(str(data).lower()) if isinstance(data, (bool, int, str)) else None
        )
        if value is None:
            refuse("Value must be a valid boolean")
        return value


class IntegerParam(serializers.IntegerField):
    """A whole number, also as a numeric string."""

    def __init__(self, *, minimum: int, maximum: int = 2**31 - 1, **kwargs: Any) -> None:
        self.minimum, self.maximum = minimum, maximum
        super().__init__(**kwargs)

    def run_validation(self, data: Any = ABSENT) -> Any:
        is_number = isinstance(data, int) and not isinstance(data, bool)
        # Ten digits are enough for anybody, and keep int() from being fed a megabyte of them.
        is_numeral = isinstance(data, str) and data.isascii() and data.isdigit() and len(data) < 11
        if not (is_number or is_numeral) or not self.minimum <= int(data) <= self.upper_bound():
            refuse(f"Value must be a valid range between {self.minimum} and {self.upper_bound()}")
        return int(data)

    def upper_bound(self) -> int:
        """The largest value."""
        return self.maximum


class SecondsParam(IntegerParam):
    """A duration in whole seconds; read as a ``timedelta``."""

    def run_validation(self, data: Any = ABSENT) -> Any:
        return timedelta(seconds=super().run_validation(data))


class PrefsParam(serializers.DictField):
    """A JSON object of at most 65535 bytes, measured as upstream measures."""

    def run_validation(self, data: Any = ABSENT) -> Any:
        if data == []:
            # PHP clients have no other way to write an empty object.
            return {}
        if problem := prefs_problem(data):
            refuse(problem)
        return data


def refuse(rule: str) -> NoReturn:
    """Say which rule a value breaks.

    Raises:
        ValidationError: always.
    """
    raise serializers.ValidationError([rule])

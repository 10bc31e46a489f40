"""What servers say about people (users.md, endpoints-users.yaml)."""

from __future__ import annotations

from datetime import timedelta

from rest_framework import serializers

from django_account.accounts.hashers import SHA_VERSIONS
from django_account.administration.usage import RANGES
from django_account.api.fields import (
    BooleanParam,
    ChoiceParam,
    EmailParam,
    HashParam,
    IdParam,
    IntegerParam,
    LabelsParam,
    NewIdParam,
    NewPasswordParam,
    OptionalEmailParam,
    OptionalPasswordParam,
    OptionalPhoneParam,
    Params,
    PhoneParam,
    PrefsParam,
    SecondsParam,
    StrictBooleanParam,
    StringParam,
)
from django_account.api.queries import BASICS, Attribute, Kind, QueriesParam, Resource
from django_account.api.serializers.account import AccountSerializer
from django_account.api.serializers.documents import document, moment, text
from django_account.api.serializers.log import LogListInput
from django_account.conf import ONE_YEAR
from django_account.sessions.jwt import DEFAULT_DURATION, MAX_DURATION
from django_account.tokens.models import Token

UserSerializer = document(
    "User",
    {
        **AccountSerializer._declared_fields,
        "password": text(allow_null=True),
        "hash": text(),
        "hashOptions": serializers.DictField(),
    },
)

UserListSerializer = document(
    "UserList", {"total": serializers.IntegerField(), "users": UserSerializer(many=True)}
)

USERS = Resource(
    "User",
    {
        **BASICS,
        "name": Attribute("name"),
        "email": Attribute("email", Kind.EMAIL, nullable=True),
        "phone": Attribute("phone", nullable=True),
        "status": Attribute("user__is_active", Kind.FLAG),
        "labels": Attribute("labels", Kind.LIST),
        "passwordUpdate": Attribute("password_changed_at", Kind.MOMENT, nullable=True),
        "registration": Attribute("registered_at", Kind.MOMENT),
        "accessedAt": Attribute("accessed_at", Kind.MOMENT, nullable=True),
        "emailVerification": Attribute("email_verified", Kind.FLAG),
        "phoneVerification": Attribute("phone_verified", Kind.FLAG),
        "impersonator": Attribute("impersonator", Kind.FLAG),
    },
)


class UserInput(Params):
    userId = IdParam()  # noqa: N815, as on the wire


class NewUserInput(Params):
    userId = NewIdParam()  # noqa: N815, as on the wire
    email = EmailParam(required=False)
    phone = PhoneParam(required=False)
    password = NewPasswordParam(required=False)
    name = StringParam(min_chars=1, max_chars=128, required=False, default="")


class HashedUserInput(Params):
    userId = NewIdParam()  # noqa: N815, as on the wire
    email = EmailParam()
    password = HashParam()


class PlainHashUserInput(HashedUserInput):
    name = StringParam(min_chars=1, max_chars=128, required=False, default="")


class SHAUserInput(HashedUserInput):
    passwordVersion = ChoiceParam([*SHA_VERSIONS, ""], required=False, default="sha256")  # noqa: N815
    name = StringParam(min_chars=1, max_chars=128, required=False, default="")


class ScryptUserInput(HashedUserInput):
    passwordSalt = StringParam(min_chars=1, max_chars=128)  # noqa: N815, as on the wire
    passwordCpu = IntegerParam(minimum=2)  # noqa: N815
    passwordMemory = IntegerParam(minimum=1)  # noqa: N815
    passwordParallel = IntegerParam(minimum=1)  # noqa: N815
    passwordLength = IntegerParam(minimum=16)  # noqa: N815
    name = StringParam(min_chars=1, max_chars=128, required=False, default="")


class ScryptModifiedUserInput(HashedUserInput):
    passwordSalt = StringParam(min_chars=1, max_chars=128)  # noqa: N815, as on the wire
    passwordSaltSeparator = StringParam(min_chars=1, max_chars=128)  # noqa: N815
    passwordSignerKey = StringParam(min_chars=1, max_chars=128)  # noqa: N815
    name = StringParam(min_chars=1, max_chars=128, required=False, default="")


class SearchParam(StringParam):
    """What somebody types into a search box."""

    def __init__(self) -> None:
        super().__init__(min_chars=1, max_chars=256, required=False, default="")


class UserListInput(Params):
    queries = QueriesParam(USERS)
    search = SearchParam()
    total = BooleanParam(required=False, default=True)


_METRIC = document("Metric", {"value": serializers.IntegerField(), "date": moment()})

UsageUsersSerializer = document(
    "UsageUsers",
    {
        "range": text(),
        "usersTotal": serializers.IntegerField(),
        "sessionsTotal": serializers.IntegerField(),
        "users": _METRIC(many=True),
        "sessions": _METRIC(many=True),
    },
)


class UsageInput(Params):
    range = ChoiceParam(RANGES, required=False, default="30d")


class UserStatusInput(UserInput):
    status = BooleanParam()


class UserLabelsInput(UserInput):
    labels = LabelsParam()


class UserImpersonatorInput(UserInput):
    impersonator = BooleanParam()


class UserNameInput(UserInput):
    name = StringParam(max_chars=128)


class UserPasswordInput(UserInput):
    password = OptionalPasswordParam()


class UserEmailInput(UserInput):
    email = OptionalEmailParam()


class UserPhoneInput(UserInput):
    number = OptionalPhoneParam()


class UserEmailVerificationInput(UserInput):
    emailVerification = StrictBooleanParam()  # noqa: N815, as on the wire


class UserPhoneVerificationInput(UserInput):
    phoneVerification = StrictBooleanParam()  # noqa: N815, as on the wire


class UserMFAInput(UserInput):
    mfa = StrictBooleanParam()


class UserPrefsInput(UserInput):
    prefs = PrefsParam()


class UserLogListInput(UserInput, LogListInput):
    """The queries of a log, and whose."""


# --- sessions and tokens --------------------------------------------------------------------------


class NewUserSessionInput(Params):
    userId = NewIdParam()  # noqa: N815, as on the wire


class UserSessionListInput(UserInput):
    total = BooleanParam(required=False, default=True)


class UserSessionInput(UserInput):
    sessionId = IdParam()  # noqa: N815, as on the wire


class UserTokenInput(UserInput):
    length = IntegerParam(minimum=4, maximum=128, required=False, default=6)
    expire = SecondsParam(
        minimum=60,
        maximum=ONE_YEAR,
        required=False,
        default=Token.LIFETIMES[Token.Kind.GENERIC],
    )


class UserJWTInput(UserInput):
    sessionId = IdParam(required=False, default="recent")  # noqa: N815, as on the wire
    duration = SecondsParam(
        minimum=1,
        maximum=int(MAX_DURATION / timedelta(seconds=1)),
        required=False,
        default=DEFAULT_DURATION,
    )

"""Every setting, one typed property each.

A site writes them into one dictionary, ``DJANGO_ACCOUNT``, by their upper-case names::

    DJANGO_ACCOUNT = {"PROJECT_ID": "shop", "PLATFORMS": ["shop.example.com"]}

They are read from Django's settings at each access, so that ``override_settings`` works and nothing
is stale. Durations are seconds or a ``timedelta``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any, TypedDict

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from django_account.core.geo import NO_LOOKUP, CountryLookup, custom_lookup, database_lookup
from django_account.core.ids import is_valid_id

# The longest session upstream allows (users.md §7): one year.
ONE_YEAR = 31_536_000

MFA_FACTORS = {"totp": True, "email": True, "phone": True, "custom": False}
# Of what is typed; tokens.services makes random ones of the same form.
_CODE = re.compile(r"[0-9]{6}")
# The longest window of a rate limit, in seconds.
MAX_WINDOW = 86_400
DUMMY_MAIL = "django.core.mail.backends.dummy.EmailBackend"

AUTH_METHODS = ("email-password", "magic-url", "email-otp", "anonymous", "phone", "jwt")

SERVICES = ("account", "users")

EMAIL_KINDS = ("disposable", "non-canonical", "free", "non-corporate")


class PasswordStrength(TypedDict):
    """The classes of characters that a new password needs."""

    min: int
    upper: bool
    lower: bool
    digit: bool
    symbol: bool


class LimitFigures(TypedDict, total=False):
    """What a site changes about an action's rate limits."""

    limit: int
    window: int


def no_memberships(**asked: Any) -> list[Mapping[str, Any]]:
    """What MEMBERSHIPS is on a site without teams."""
    return []


class AccountSettings:
    """The site's ``DJANGO_ACCOUNT`` dictionary, with defaults."""

    # Properties that are no settings of their own.
    _DERIVED = frozenset({"sends_mail", "sends_sms"})

    def _get(self, name: str, default: Any) -> Any:
        return getattr(settings, "DJANGO_ACCOUNT", {}).get(name, default)

    def _duration(self, name: str, seconds: int, *, or_none: bool = False) -> timedelta:
        value = self._get(name, seconds)
        duration = value if isinstance(value, timedelta) else timedelta(seconds=value)
        if duration < timedelta(0) or not (duration or or_none):
            raise ImproperlyConfigured(f'DJANGO_ACCOUNT["{name}"] must be longer than nothing.')
        return duration

    def _count(self, name: str, default: int) -> int:
        number = int(self._get(name, default))
        if number < 0:
            raise ImproperlyConfigured(f'DJANGO_ACCOUNT["{name}"] must not be negative.')
        return number

    @classmethod
    def names(cls) -> list[str]:
        """The keys that ``DJANGO_ACCOUNT`` may hold."""
        return [
            name.upper()
            for name, value in vars(cls).items()
            if isinstance(value, property) and name not in cls._DERIVED
        ]

    # --- the project ---

    @property
    def project_id(self) -> str:
        """What clients pass to ``setProject``. Default: ``"default"``.

        Raises:
            ImproperlyConfigured: it is no id, and so cannot stand in the name of a cookie.
        """
        project_id = str(self._get("PROJECT_ID", "default"))
        if not is_valid_id(project_id):
            raise ImproperlyConfigured(
                'DJANGO_ACCOUNT["PROJECT_ID"] must be 1 to 36 of a-z, A-Z, 0-9, period, hyphen and '
                "underscore, and begin with a letter or digit."
            )
        return project_id

    @property
    def platforms(self) -> list[str]:
        """Web host names (``*.example.com`` for sub-domains) and custom schemes that may call the
        API from a browser or app, and to which links may lead. Default: ``["localhost"]``.

        Raises:
            ImproperlyConfigured: it is no list.
        """
        given = self._get("PLATFORMS", ["localhost"])
        # A plain "*.example.com" would be taken for the platforms "*", ".", "e" …, and allow every
        # page of the world.
        if isinstance(given, str):
            raise ImproperlyConfigured(
                'DJANGO_ACCOUNT["PLATFORMS"] must be a list such as ["www.example.com"].'
            )
        return list(given)

    @property
    def project_name(self) -> str:
        """What messages call the project. Default: PROJECT_ID."""
        return str(self._get("PROJECT_NAME", self.project_id))

    @property
    def api_version(self) -> str:
        """The server version that error bodies name. Default: ``"1.9.6"``."""
        return str(self._get("API_VERSION", "1.9.6"))

    @property
    def services(self) -> Mapping[str, bool]:
        """``{"account": False}`` switches a service off for everybody but API keys (403)."""
        return {**dict.fromkeys(SERVICES, True), **self._get("SERVICES", {})}

    @property
    def rest_api(self) -> bool:
        """False switches the whole API off for everybody but API keys (403). Default: True."""
        return bool(self._get("REST_API", True))

    @property
    def trusted_proxies(self) -> int:
        """How many proxies stand in front: that many entries from the right of ``X-Forwarded-For``
        are trusted, and ``X-Forwarded-Proto`` with them. Default: 0, trust none."""
        return self._count("TRUSTED_PROXIES", 0)

    @property
    def limit_visitors(self) -> bool:
        """Whether a visitor whose address a server forwards (``X-Forwarded-For``, with an API key)
        has the rate limits of somebody who calls directly. Otherwise nothing limits a server.
        Default: False."""
        return bool(self._get("LIMIT_VISITORS", False))

    @property
    def rate_limits_enabled(self) -> bool:
        """False switches every rate limit off. Default: True."""
        return bool(self._get("RATE_LIMITS_ENABLED", True))

    @property
    def rate_limits(self) -> Mapping[str, LimitFigures | None]:
        """Changes to single rate limits, by the action's name that ``manage.py ratelimits`` lists:
        ``{"create_jwt": {"limit": 20, "window": 60}, "delete_session": None}``. None switches
        one off; a window is at most a day. Default: none.

        Raises:
            ImproperlyConfigured: a value is neither None nor such figures.
        """
        return {
            action: None if given is None else self._figures(action, given)
            for action, given in self._get("RATE_LIMITS", {}).items()
        }

    def _figures(self, action: str, given: Any) -> LimitFigures:
        wrong = ImproperlyConfigured(
            f'DJANGO_ACCOUNT["RATE_LIMITS"][{action!r}] must be None or such as '
            f'{{"limit": 10, "window": 3600}}: at least 1 request, at most {MAX_WINDOW} seconds.'
        )
        if not isinstance(given, Mapping) or not given or not set(given) <= {"limit", "window"}:
            raise wrong
        figures: LimitFigures = {}
        for name, most in (("limit", None), ("window", MAX_WINDOW)):
            if name not in given:
                continue
            value = given[name]
            value = value.total_seconds() if isinstance(value, timedelta) else value
            if type(value) not in (int, float) or value != int(value) or value < 1:
                raise wrong
            if most is not None and value > most:
                raise wrong
            figures[name] = int(value)  # type: ignore[literal-required]
        return figures

    # --- people ---

    @property
    def users_limit(self) -> int:
        """How many accounts may exist before sign-up is refused. Default: 0, no limit."""
        return self._count("USERS_LIMIT", 0)

    @property
    def adopt_users(self) -> bool:
        """Whether a user that existed before gets an account at the first sign-in. Switch it off
        on a large site once ``manage.py adoptusers`` has run: it saves a look-up by e-mail in the
        user table, which Django's stock user model has no index for. Default: True."""
        return bool(self._get("ADOPT_USERS", True))

    @property
    def new_user_fields(self) -> Callable[..., Mapping[str, Any]] | None:
        """Dotted path of a callable that fills the fields a custom user model requires::

            def new_user_fields(*, account_id, email, phone, name) -> dict[str, Any]

        It is called for every new account; its result goes into the user's constructor."""
        path = self._get("NEW_USER_FIELDS", None)
        fill: Callable[..., Mapping[str, Any]] | None = (
            import_string(path) if isinstance(path, str) else path
        )
        return fill

    @property
    def user_phone_field(self) -> str:
        """The field of the user model that mirrors the account's phone number. Default: none."""
        return str(self._get("USER_PHONE_FIELD", ""))

    @property
    def memberships(self) -> Callable[..., Iterable[Mapping[str, Any]]]:
        """Dotted path of a callable that knows a person's teams, for ``users.listMemberships``::

            def memberships(*, account, queries, search) -> Iterable[dict[str, Any]]

        It returns the documents of one page (``api/serializers/membership.py`` has their keys; of
        those left out the person's are filled in and the others empty). ``queries`` is a checked
        :class:`~django_account.api.queries.Queries`, whose ``answer()`` applies it to a queryset
        with the same names. Default: nobody is in any team."""
        path = self._get("MEMBERSHIPS", None)
        known: Callable[..., Iterable[Mapping[str, Any]]] = (
            import_string(path) if isinstance(path, str) else path or no_memberships
        )
        return known

    @property
    def block_emails(self) -> frozenset[str]:
        """Kinds of addresses refused at sign-up: any of ``"disposable"``, ``"non-canonical"``,
        ``"free"``, ``"non-corporate"``. Default: none."""
        return frozenset(self._get("BLOCK_EMAILS", ()))

    # --- sessions ---

    @property
    def session_limit(self) -> int:
        """Sessions a person may have; the oldest go first. 0 is no limit. Default: 10."""
        return self._count("SESSION_LIMIT", 10)

    @property
    def session_duration(self) -> timedelta:
        """How long a session lives. Default: one year."""
        return self._duration("SESSION_DURATION", ONE_YEAR)

    @property
    def known_device_duration(self) -> timedelta:
        """How long a device on which somebody signed in has rate limits of its own for that
        person's addresses, so that nobody else's guesses lock it out; 0: never. Default: half a
        year."""
        return self._duration("KNOWN_DEVICE_DURATION", ONE_YEAR // 2, or_none=True)

    @property
    def session_alerts(self) -> bool:
        """Whether a person is told of a new session by e-mail. Default: False."""
        return bool(self._get("SESSION_ALERTS", False))

    @property
    def invalidate_sessions(self) -> bool:
        """Whether a new password ends the person's other sessions. Default: True."""
        return bool(self._get("INVALIDATE_SESSIONS", True))

    @property
    def auth_methods(self) -> Mapping[str, bool]:
        """``{"anonymous": False}`` switches a way of signing in off (501). Default: all on."""
        return {**dict.fromkeys(AUTH_METHODS, True), **self._get("AUTH_METHODS", {})}

    @property
    def mock_numbers(self) -> Mapping[str, str]:
        """Phone numbers with a fixed code of six digits that are never sent an SMS. Default: none.

        Raises:
            ImproperlyConfigured: a code is not six digits, and so could not be redeemed.
        """
        numbers = dict(self._get("MOCK_NUMBERS", {}))
        if not all(_CODE.fullmatch(str(code)) for code in numbers.values()):
            raise ImproperlyConfigured(
                'DJANGO_ACCOUNT["MOCK_NUMBERS"] must give each number a code of six digits, '
                'such as {"+15551234567": "123456"}.'
            )
        return {number: str(code) for number, code in numbers.items()}

    @property
    def signed_in_url(self) -> str:
        """Where our own sign-in page leads when it is done: a URL or the name of one. Default:
        ``"/"``."""
        return str(self._get("SIGNED_IN_URL", "/"))

    # --- passwords ---

    @property
    def password_history(self) -> int:
        """How many of a person's last passwords are refused, 0 to 20. Default: 0."""
        return min(self._count("PASSWORD_HISTORY", 0), 20)

    @property
    def password_dictionary(self) -> bool:
        """Whether common passwords are refused. Default: False."""
        return bool(self._get("PASSWORD_DICTIONARY", False))

    @property
    def password_personal_data(self) -> bool:
        """Whether passwords that hold the id, e-mail, name or phone are refused. Default: False."""
        return bool(self._get("PASSWORD_PERSONAL_DATA", False))

    @property
    def password_strength(self) -> PasswordStrength:
        """Which characters a new password needs. Default: eight of any kind."""
        chosen = self._get("PASSWORD_STRENGTH", {})
        return {
            "min": max(8, int(chosen.get("min", 8))),
            "upper": bool(chosen.get("upper", False)),
            "lower": bool(chosen.get("lower", False)),
            "digit": bool(chosen.get("digit", False)),
            "symbol": bool(chosen.get("symbol", False)),
        }

    @property
    def admin_set_passwords(self) -> bool:
        """Whether staff with the permission may set somebody's password in the admin. Default:
        False: they send a recovery, and never know one."""
        return bool(self._get("ADMIN_SET_PASSWORDS", False))

    # --- second factors ---

    @property
    def mfa_factors(self) -> Mapping[str, bool]:
        """``{"phone": False}`` switches a second factor off (501), for challenges and for the gate;
        recovery codes cannot be. Default: all on but ``custom``, whose codes a server of the site
        delivers."""
        return {**MFA_FACTORS, **self._get("MFA_FACTORS", {})}

    @property
    def mfa_factor_classes(self) -> list[Any]:
        """Dotted paths of the site's own factors, subclasses of ``mfa.factors.base.Factor``; one
        takes the place of a built-in factor of the same name. Default: none."""
        return [
            import_string(path) if isinstance(path, str) else path
            for path in self._get("MFA_FACTOR_CLASSES", ())
        ]

    @property
    def mfa_challenge_duration(self) -> timedelta:
        """How long an MFA challenge can be answered. Default: 15 minutes."""
        return self._duration("MFA_CHALLENGE_DURATION", 900)

    @property
    def mfa_proof_duration(self) -> timedelta:
        """How long a completed challenge counts as a fresh proof, for reading recovery codes or
        deleting an authenticator. Default: half an hour."""
        return self._duration("MFA_PROOF_DURATION", 1800)

    @property
    def mfa_require_fresh_proof(self) -> bool:
        """Whether switching MFA off needs a fresh proof too, as deleting an authenticator does.
        Default: False, as upstream."""
        return bool(self._get("MFA_REQUIRE_FRESH_PROOF", False))

    @property
    def mfa_after_oauth2(self) -> bool:
        """Whether a sign-in by an OAuth2 provider counts as one factor, so that who has MFA on is
        asked for another. Default: False: it counts as two, as upstream (mfa-oauth.md §8.2)."""
        return bool(self._get("MFA_AFTER_OAUTH2", False))

    @property
    def mfa_wrong_answers(self) -> int:
        """How many wrong codes an account may give in an hour, over all its challenges and the
        site's own OTP forms, before none is looked at any more (429). Default: 10."""
        return max(1, int(self._get("MFA_WRONG_ANSWERS", 10)))

    # --- messages ---

    @property
    def sends_mail(self) -> bool:
        """Whether the site has a way to send mail: a default mailer, and not the dummy one."""
        mailers = getattr(settings, "MAILERS", None)
        if mailers is None:
            backend = settings.EMAIL_BACKEND
        else:
            backend = mailers.get("default", {"BACKEND": DUMMY_MAIL}).get("BACKEND", "")
        return bool(backend != DUMMY_MAIL)

    @property
    def email_sender(self) -> str | None:
        """The From address of messages. Default: Django's DEFAULT_FROM_EMAIL."""
        value = self._get("EMAIL_SENDER", None)
        return None if value is None else str(value)

    @property
    def background_delivery(self) -> bool:
        """Whether messages are sent in a thread when the site's task backend is the immediate one.
        With False they are sent before the request is answered. Default: True."""
        return bool(self._get("BACKGROUND_DELIVERY", True))

    # --- the activity log ---

    @property
    def log_retention(self) -> timedelta | None:
        """How long the activity log is kept; ``manage.py clearaccounts`` deletes what is older.
        None keeps it for ever. Default: one year."""
        kept = self._get("LOG_RETENTION", ONE_YEAR)
        return None if kept is None else self._duration("LOG_RETENTION", ONE_YEAR)

    @property
    def log_anonymise(self) -> bool:
        """Whether the entries of a deleted account stop telling whose they were: ids, addresses,
        name, IP address and user agent are blanked, what was done and when stays. Default: False,
        entries stay as they are for staff until LOG_RETENTION."""
        return bool(self._get("LOG_ANONYMISE", False))

    # --- the admin ---

    @property
    def admin_impersonation(self) -> bool:
        """Whether staff with the permission may act as a person, for a while and with a reason
        (docs/admin.md). Sessions that they have so end at once when it is switched off. Default:
        False."""
        return bool(self._get("ADMIN_IMPERSONATION", False))

    @property
    def admin_impersonation_duration(self) -> timedelta:
        """How long staff act as a person before they have to ask again. Default: 15 minutes."""
        return self._duration("ADMIN_IMPERSONATION_DURATION", 900)

    # --- other people's services ---

    @property
    def geoip_database(self) -> str:
        """The path of a country or city database in MaxMind's format, such as
        ``GeoLite2-Country.mmdb``; it needs the ``geoip`` extra. It is opened once a process, so
        restart after an update. Default: none, every country is unknown."""
        return str(self._get("GEOIP_DATABASE", None) or "")

    @property
    def country_lookup(self) -> CountryLookup:
        """Dotted path of a subclass of ``core.geo.CountryLookup``, which finds the country of an IP
        address; one instance serves the process. Default: the one that reads GEOIP_DATABASE."""
        if path := self._get("COUNTRY_LOOKUP", None):
            return custom_lookup(path)
        return database_lookup(self.geoip_database) if self.geoip_database else NO_LOOKUP

    @property
    def oauth2_providers(self) -> Mapping[str, Mapping[str, Any]]:
        """OAuth2 providers by key: ``{"github": {"client_id": "…", "client_secret": "…"}}``. Naming
        one switches it on, ``"enabled": False`` off; ``"scopes"`` are asked for besides its own.
        What else each needs: ``manage.py oauth2providers`` and docs/oauth2.md. Default: none."""
        return dict(self._get("OAUTH2_PROVIDERS", {}))

    @property
    def sms_backend(self) -> str:
        """Dotted path of the SMS backend. Default: the console."""
        return str(self._get("SMS_BACKEND", "django_account.notifications.sms.console.SMSBackend"))

    @property
    def sends_sms(self) -> bool:
        """Whether the site has chosen a way to send SMS: any SMS_BACKEND but none and the dummy."""
        return self.sms_backend not in ("", "django_account.notifications.sms.dummy.SMSBackend")

    @property
    def sms_options(self) -> Mapping[str, Any]:
        """What the SMS backend is built with. Default: nothing."""
        return dict(self._get("SMS_OPTIONS", {}))

    @property
    def sms_allowed_prefixes(self) -> tuple[str, ...]:
        """A list of what numbers must begin with, such as ``["+49", "+1"]``. Default: any may.

        Raises:
            ImproperlyConfigured: it is no list, or holds something that is no prefix of numbers.
        """
        given = self._get("SMS_ALLOWED_PREFIXES", ())
        # A plain "+49" would be taken for the prefixes "+", "4" and "9", and allow every number.
        prefixes = () if isinstance(given, str) else tuple(given)
        if isinstance(given, str) or not all(
            isinstance(prefix, str) and prefix[:1] == "+" and prefix[1:].isdigit()
            for prefix in prefixes
        ):
            raise ImproperlyConfigured(
                'DJANGO_ACCOUNT["SMS_ALLOWED_PREFIXES"] must be a list such as ["+49", "+1"].'
            )
        return prefixes

    @property
    def sms_daily_limit(self) -> int:
        """SMS that the site sends in a day (UTC). Default: 0, no limit."""
        return self._count("SMS_DAILY_LIMIT", 0)

    @property
    def sms_daily_limit_per_number(self) -> int:
        """SMS that one number gets in a day (UTC). Default: 0, no limit."""
        return self._count("SMS_DAILY_LIMIT_PER_NUMBER", 0)


conf = AccountSettings()

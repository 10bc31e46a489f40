"""Every setting, one typed property each.

A site writes them into one dictionary, ``DJANGO_ACCOUNT``, by their upper-case names::

    DJANGO_ACCOUNT = {"PROJECT_ID": "shop", "PLATFORMS": ["shop.example.com"]}

They are read from Django's settings at each access, so that ``override_settings`` works and nothing
is stale. Durations are seconds or a ``timedelta``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any, TypedDict

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

# The longest session upstream allows (users.md §7): one year.
ONE_YEAR = 31_536_000

AUTH_METHODS = ("email-password", "magic-url", "email-otp", "anonymous", "phone", "jwt")


_DUMMY_MAIL = "django.core.mail.backends.dummy.EmailBackend"


class PasswordStrength(TypedDict):
    """The classes of characters that a new password needs."""

    min: int
    upper: bool
    lower: bool
    digit: bool
    symbol: bool


class AccountSettings:
    """The site's ``DJANGO_ACCOUNT`` dictionary, with defaults."""

    # Properties that are no settings of their own.
    _DERIVED = frozenset({"sends_mail", "sends_sms"})

    def _get(self, name: str, default: Any) -> Any:
        return getattr(settings, "DJANGO_ACCOUNT", {}).get(name, default)

    def _duration(self, name: str, seconds: int) -> timedelta:
        value = self._get(name, seconds)
        return value if isinstance(value, timedelta) else timedelta(seconds=value)

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
        """What clients pass to ``setProject``. Default: ``"default"``."""
        return str(self._get("PROJECT_ID", "default"))

    @property
    def platforms(self) -> list[str]:
        """Web host names (``*.example.com`` for sub-domains) and custom schemes that may call the
        API from a browser or app, and to which links may lead. Default: ``["localhost"]``."""
        return list(self._get("PLATFORMS", ["localhost"]))

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
        return {"account": True, "users": True, **self._get("SERVICES", {})}

    @property
    def rest_api(self) -> bool:
        """False switches the whole API off for everybody but API keys (403). Default: True."""
        return bool(self._get("REST_API", True))

    @property
    def trusted_proxies(self) -> int:
        """How many proxies stand in front: that many entries from the right of ``X-Forwarded-For``
        are trusted, and ``X-Forwarded-Proto`` with them. Default: 0, trust none."""
        return int(self._get("TRUSTED_PROXIES", 0))

    @property
    def rate_limits_enabled(self) -> bool:
        """False switches every rate limit off. Default: True."""
        return bool(self._get("RATE_LIMITS_ENABLED", True))

    # --- people ---

    @property
    def users_limit(self) -> int:
        """How many accounts may exist before sign-up is refused. Default: 0, no limit."""
        return int(self._get("USERS_LIMIT", 0))

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
    def block_emails(self) -> frozenset[str]:
        """Kinds of addresses refused at sign-up: any of ``"disposable"``, ``"non-canonical"``,
        ``"free"``, ``"non-corporate"``. Default: none."""
        return frozenset(self._get("BLOCK_EMAILS", ()))

    # --- sessions ---

    @property
    def session_limit(self) -> int:
        """Sessions a person may have; the oldest go first. 0 is no limit. Default: 10."""
        return int(self._get("SESSION_LIMIT", 10))

    @property
    def session_duration(self) -> timedelta:
        """How long a session lives. Default: one year."""
        return self._duration("SESSION_DURATION", ONE_YEAR)

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
        """Phone numbers with a fixed code that are never sent an SMS. Default: none."""
        return dict(self._get("MOCK_NUMBERS", {}))

    @property
    def signed_in_url(self) -> str:
        """Where our own sign-in page leads when it is done: a URL or the name of one. Default:
        ``"/"``."""
        return str(self._get("SIGNED_IN_URL", "/"))

    # --- passwords ---

    @property
    def password_history(self) -> int:
        """How many of a person's last passwords are refused, 0 to 20. Default: 0."""
        return min(int(self._get("PASSWORD_HISTORY", 0)), 20)

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

    # --- messages ---

    @property
    def email_sender(self) -> str | None:
        """The From address of messages. Default: Django's DEFAULT_FROM_EMAIL."""
        value = self._get("EMAIL_SENDER", None)
        return None if value is None else str(value)

    @property
    def sends_mail(self) -> bool:
        """Whether the site has a way to send mail: any mailer but none and the dummy."""
        mailers = getattr(settings, "MAILERS", None)
        if mailers is None:
            return bool(settings.EMAIL_BACKEND != _DUMMY_MAIL)
        return bool(mailers.get("default", {"BACKEND": _DUMMY_MAIL}).get("BACKEND") != _DUMMY_MAIL)

    @property
    def background_delivery(self) -> bool:
        """Whether messages are sent in a thread when the site's task backend is the immediate one.
        With False they are sent before the request is answered. Default: True."""
        return bool(self._get("BACKGROUND_DELIVERY", True))

    # --- other people's services ---

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
        return int(self._get("SMS_DAILY_LIMIT", 0))

    @property
    def sms_daily_limit_per_number(self) -> int:
        """SMS that one number gets in a day (UTC). Default: 0, no limit."""
        return int(self._get("SMS_DAILY_LIMIT_PER_NUMBER", 0))


conf = AccountSettings()


def unknown_keys(given: Iterable[str]) -> list[str]:
    """The keys of ``given`` that no setting has."""
    known = set(AccountSettings.names())
    return [key for key in given if key not in known]

"""System checks: each says what is wrong, with a stable id and a way out."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage

from django_account import checks
from django_account.identities.providers.registry import PROVIDERS, is_enabled
from tests.core.test_geo import write_database

GOOD_KEY = "not-a-default-" + "0123456789abcdef" * 4
REDIS = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache"}}


def ids(found: list[CheckMessage]) -> list[str]:
    assert all(message.hint for message in found)
    return [str(message.id) for message in found]


class TestApps:
    def test_all_there(self) -> None:
        assert checks.check_apps() == []

    def test_contenttypes_missing(self, settings: Any) -> None:
        settings.INSTALLED_APPS = ["django.contrib.auth", "django_account"]
        assert ids(checks.check_apps()) == ["django_account.E001"]


class TestSecretKey:
    @pytest.mark.parametrize(
        "key", ["0123456789abcdef0123456789abcde", "x" * 60, "django-insecure-" + "a1b2c3d4e5" * 5]
    )
    def test_weak_outside_debug(self, settings: Any, key: str) -> None:
        settings.SECRET_KEY = key
        assert ids(checks.check_secret_key()) == ["django_account.E002"]

    def test_weak_while_developing(self, settings: Any) -> None:
        settings.SECRET_KEY, settings.DEBUG = "short", True
        assert checks.check_secret_key() == []

    @pytest.mark.parametrize("key", [GOOD_KEY, GOOD_KEY.encode(), GOOD_KEY[:32]])
    def test_good(self, settings: Any, key: str | bytes) -> None:
        settings.SECRET_KEY = key
        assert checks.check_secret_key() == []

    def test_the_message_does_not_hold_the_key(self, settings: Any) -> None:
        settings.SECRET_KEY = "hunter2"
        assert "hunter2" not in str(checks.check_secret_key())


class TestForeignHashers:
    def test_all_there(self, settings: Any) -> None:
        assert checks.check_foreign_hashers() == []

    def test_missing(self, settings: Any) -> None:
        settings.PASSWORD_HASHERS = settings.PASSWORD_HASHERS[:-1]
        assert ids(checks.check_foreign_hashers()) == ["django_account.I020"]


class TestCache:
    @pytest.fixture(autouse=True)
    def limited(self, project: Any) -> None:
        project(RATE_LIMITS_ENABLED=True)

    @pytest.mark.parametrize(
        "backend",
        ["dummy.DummyCache", "locmem.LocMemCache", "filebased.FileBasedCache", "db.DatabaseCache"],
    )
    def test_one_that_cannot_count_for_all_workers(self, settings: Any, backend: str) -> None:
        settings.CACHES = {"default": {"BACKEND": f"django.core.cache.backends.{backend}"}}
        assert ids(checks.check_cache()) == ["django_account.W003"]

    def test_redis(self, settings: Any) -> None:
        settings.CACHES = REDIS
        assert checks.check_cache() == []

    def test_the_database_by_our_own_backend(self, settings: Any) -> None:
        backend = "django_account.limits.cache.AtomicDatabaseCache"
        settings.CACHES = {"default": {"BACKEND": backend}}
        assert checks.check_cache() == []

    def test_the_cache_that_django_ratelimit_uses(self, settings: Any) -> None:
        settings.CACHES = {**settings.CACHES, "counters": REDIS["default"]}
        settings.RATELIMIT_USE_CACHE = "counters"
        assert checks.check_cache() == []

    def test_limits_switched_off(self, project: Any) -> None:
        project(RATE_LIMITS_ENABLED=False)
        assert checks.check_cache() == []

    def test_while_developing(self, settings: Any) -> None:
        settings.DEBUG = True
        assert checks.check_cache() == []


class TestHashers:
    def test_another_first(self, settings: Any) -> None:
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
        assert ids(checks.check_hashers()) == ["django_account.W004"]

    @pytest.mark.parametrize(
        "hasher",
        [
            "django_account.accounts.hashers.Argon2idHasher",
            "django.contrib.auth.hashers.Argon2PasswordHasher",
        ],
    )
    def test_argon2_first(self, settings: Any, hasher: str) -> None:
        settings.PASSWORD_HASHERS = [hasher]
        assert checks.check_hashers() == []


class TestHttps:
    def test_nothing_says_https(self) -> None:
        assert ids(checks.check_https()) == ["django_account.W005"]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("SECURE_SSL_REDIRECT", True),
            ("SECURE_PROXY_SSL_HEADER", ("HTTP_X_FORWARDED_PROTO", "https")),
            ("SESSION_COOKIE_SECURE", True),
            ("DJANGO_ACCOUNT", {"TRUSTED_PROXIES": 1}),
        ],
    )
    def test_something_does(self, settings: Any, name: str, value: Any) -> None:
        setattr(settings, name, value)
        assert checks.check_https() == []


class TestMailTimeout:
    SMTP = "django.core.mail.backends.smtp.EmailBackend"

    def use(self, settings: Any, timeout: int | None) -> None:
        if hasattr(settings, "MAILERS"):
            options = {} if timeout is None else {"timeout": timeout}
            settings.MAILERS = {"default": {"BACKEND": self.SMTP, "OPTIONS": options}}
        else:
            settings.EMAIL_BACKEND, settings.EMAIL_TIMEOUT = self.SMTP, timeout

    def test_smtp_without_one(self, settings: Any) -> None:
        self.use(settings, None)
        assert ids(checks.check_mail_timeout()) == ["django_account.W010"]

    def test_smtp_with_one(self, settings: Any) -> None:
        self.use(settings, 10)
        assert checks.check_mail_timeout() == []

    def test_another_backend(self) -> None:
        assert checks.check_mail_timeout() == []


class TestSettingNames:
    @pytest.mark.parametrize(
        ("given", "hint"),
        [
            ({"SESION_LIMIT": 1}, "Did you mean 'SESSION_LIMIT'?"),
            ({"session_limit": 1}, "Did you mean 'SESSION_LIMIT'?"),
            ({"AUTH_METHODS": {"anonymus": False}}, "Did you mean 'anonymous'?"),
            ({"MFA_FACTORS": {"fone": False}}, "Did you mean 'phone'?"),
            ({"BLOCK_EMAILS": ["disposible"]}, "Did you mean 'disposable'?"),
            ({"PASSWORD_STRENGTH": {"symbols": True}}, "Did you mean 'symbol'?"),
            ({"SERVICES": {"acount": False}}, "Did you mean 'account'?"),
            ({"RATE_LIMITS": {"create_jwts": None}}, "Did you mean 'create_jwt'?"),
        ],
    )
    def test_a_slip_of_the_pen(self, settings: Any, given: dict[str, Any], hint: str) -> None:
        settings.DJANGO_ACCOUNT = {"PROJECT_ID": "demo", **given}
        (message,) = checks.check_setting_names()
        assert (message.id, message.hint) == ("django_account.E006", hint)

    def test_nothing_like_it_lists_what_there_is(self, settings: Any) -> None:
        settings.DJANGO_ACCOUNT = {"XYZZY": 1}
        (message,) = checks.check_setting_names()
        assert "SESSION_LIMIT" in str(message.hint)

    def test_a_sites_own_factor_may_be_switched(self, settings: Any) -> None:
        own = {"MFA_FACTOR_CLASSES": ["tests.mfa.test_factors.PushFactor"]}
        settings.DJANGO_ACCOUNT = {**own, "MFA_FACTORS": {"push": False}}
        assert checks.check_setting_names() == []

    def test_no_settings_at_all(self, settings: Any) -> None:
        del settings.DJANGO_ACCOUNT
        assert checks.check_setting_names() == []


class TestSMSBackend:
    TWILIO = "django_account.notifications.sms.twilio.SMSBackend"
    OPTIONS = {"account_sid": "AC1", "auth_token": "hunter2", "sender": "+15550001111"}

    @pytest.mark.parametrize(
        "given",
        [
            {"SMS_BACKEND": "django_account.notifications.sms.twillio.SMSBackend"},
            {"SMS_BACKEND": "django_account.notifications.sms.twilio.Backend"},
            {"SMS_BACKEND": "twilio"},
            {"SMS_BACKEND": "django_account.notifications.sms.outbox"},
            {"SMS_BACKEND": TWILIO},
            {"SMS_BACKEND": TWILIO, "SMS_OPTIONS": {**OPTIONS, "token": "hunter2"}},
            {"SMS_BACKEND": TWILIO, "SMS_OPTIONS": {**OPTIONS, "timeout": "hunter2"}},
            {"SMS_BACKEND": TWILIO, "SMS_OPTIONS": "hunter2"},
        ],
    )
    def test_one_that_sends_nothing(self, settings: Any, given: dict[str, Any]) -> None:
        settings.DJANGO_ACCOUNT = given
        found = checks.check_sms_backend()
        assert ids(found) == ["django_account.E017"]
        assert "hunter2" not in str(found)

    @pytest.mark.parametrize(
        "given",
        [
            {},
            {"SMS_BACKEND": ""},
            {"SMS_BACKEND": "django_account.notifications.sms.dummy.SMSBackend"},
            {"SMS_BACKEND": TWILIO, "SMS_OPTIONS": OPTIONS},
        ],
    )
    def test_one_that_sends_or_none(self, settings: Any, given: dict[str, Any]) -> None:
        settings.DJANGO_ACCOUNT = given
        assert checks.check_sms_backend() == []


class TestSettingValues:
    @pytest.mark.parametrize(
        "given",
        [
            {"SESSION_DURATION": "an hour"},
            {"USERS_LIMIT": "many"},
            {"NEW_USER_FIELDS": "no.such"},
            {"MFA_FACTOR_CLASSES": ["no.such"]},
            {"MFA_WRONG_ANSWERS": "few"},
            {"PROJECT_ID": "my shop"},
            {"PROJECT_ID": ""},
            {"SESSION_LIMIT": -1},
            {"TRUSTED_PROXIES": -1},
            {"SESSION_DURATION": 0},
            # As a list of letters, its "*" would allow every page.
            {"PLATFORMS": "*.example.com"},
            {"MOCK_NUMBERS": {"+15551234567": "1234"}},
            {"SMS_ALLOWED_PREFIXES": "+49"},
            {"RATE_LIMITS": {"create_jwt": 5}},
            {"RATE_LIMITS": {"create_jwt": {"limit": 0}}},
            {"RATE_LIMITS": {"create_jwt": {"limit": "5"}}},
            {"RATE_LIMITS": {"create_jwt": {"limit": True}}},
            {"RATE_LIMITS": {"create_jwt": {"window": 86_401}}},
            {"RATE_LIMITS": {"create_jwt": {"requests": 5}}},
        ],
    )
    def test_unreadable(self, settings: Any, given: dict[str, Any]) -> None:
        settings.DJANGO_ACCOUNT = given
        assert set(ids(checks.check_setting_values())) == {"django_account.E007"}

    def test_defaults(self, settings: Any) -> None:
        settings.DJANGO_ACCOUNT = {}
        assert checks.check_setting_values() == []

    def test_limits_that_a_site_may_choose(self, project: Any) -> None:
        project(
            RATE_LIMITS={
                "create": None,
                "create_jwt": {"limit": 5},
                "delete_session": {"limit": 1, "window": timedelta(days=1)},
            }
        )
        assert checks.check_setting_values() == checks.check_setting_names() == []


class TestUserModel:
    def test_stock(self) -> None:
        assert checks.check_user_model() == []

    def test_a_user_that_cannot_be_blocked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from django_account.accounts import users

        real = users.find_field
        monkeypatch.setattr(
            users, "find_field", lambda name: None if name == "is_active" else real(name)
        )
        assert ids(checks.check_user_model()) == ["django_account.E008"]

    def test_a_required_field_that_nobody_fills(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from django.contrib.auth.models import User

        monkeypatch.setattr(User._meta.get_field("first_name"), "blank", False)
        assert checks.required_fields() == ["first_name"]
        assert ids(checks.check_user_model()) == ["django_account.E009"]

    def test_a_required_field_that_the_site_fills(
        self, monkeypatch: pytest.MonkeyPatch, project: Any
    ) -> None:
        from django.contrib.auth.models import User

        monkeypatch.setattr(User._meta.get_field("first_name"), "blank", False)
        project(NEW_USER_FIELDS="builtins.dict")
        assert checks.check_user_model() == []


class TestOAuth2Providers:
    GITHUB = {"client_id": "1", "client_secret": "2"}

    def found(self, project: Any, **providers: Any) -> list[str]:
        project(OAUTH2_PROVIDERS=providers)
        return ids(checks.check_oauth2_providers())

    def test_complete(self, project: Any) -> None:
        okta = {**self.GITHUB, "domain": "dev.okta.com"}
        assert self.found(project, github=self.GITHUB, okta=okta) == []

    def test_off_may_be_incomplete(self, project: Any) -> None:
        assert self.found(project, github={"enabled": False}) == []

    @pytest.mark.parametrize(
        "providers",
        [
            {"gihtub": GITHUB},
            {"github": {"client_id": "1"}},
            {"github": {**GITHUB, "client_secrte": "2"}},
            {"okta": GITHUB},
            {"apple": {"client_id": "1", "team_id": "2"}},
            {"github": "a string"},
            {"github": {**GITHUB, "scopes": "repo"}},
            {"github": {**GITHUB, "scopes": [1]}},
            {"google": {**GITHUB, "native_client_ids": "com.example.app"}},
            {"github": {**GITHUB, "enabled": "no"}},
            {"github": {**GITHUB, "enabled": 1}},
            {"google": {**GITHUB, "native": "false"}},
        ],
        ids=str,
    )
    def test_wrong(self, project: Any, providers: dict[str, Any]) -> None:
        assert self.found(project, **providers) == ["django_account.E015"]

    def test_a_key_that_is_no_string(self, project: Any) -> None:
        project(OAUTH2_PROVIDERS={5: self.GITHUB})
        assert ids(checks.check_oauth2_providers()) == ["django_account.E015"]

    def test_a_hint_for_a_slip(self, project: Any) -> None:
        project(OAUTH2_PROVIDERS={"gihtub": self.GITHUB})
        [message] = checks.check_oauth2_providers()
        assert "github" in str(message.hint)
        project(OAUTH2_PROVIDERS={"github": {**self.GITHUB, "enable": False}})
        [message] = checks.check_oauth2_providers()
        assert "'enabled'" in str(message.hint)

    @pytest.mark.parametrize("enabled", ["no", "yes", "True", 1, None])
    def test_what_is_no_bool_switches_nothing_on(self, project: Any, enabled: Any) -> None:
        project(OAUTH2_PROVIDERS={"github": {**self.GITHUB, "enabled": enabled}})
        assert not is_enabled(PROVIDERS["github"])
        [message] = checks.check_oauth2_providers()
        assert "True or False" in message.msg

    def test_no_secret_in_a_message(self, project: Any) -> None:
        project(
            OAUTH2_PROVIDERS={"github": {"client_secret": "hunter2", "client_secrte": "hunter2"}}
        )
        assert "hunter2" not in str(checks.check_oauth2_providers())

    @pytest.mark.parametrize(
        ("endpoint", "found"),
        [
            ("http://id.example.com", ["django_account.W016"]),
            ("http://127.0.0.1:9000", []),
            ("https://id.example.com", []),
            ("https://[id.example.com", []),
        ],
    )
    def test_without_https(self, project: Any, endpoint: str, found: list[str]) -> None:
        assert self.found(project, oidc={**self.GITHUB, "endpoint": endpoint}) == found

    @pytest.mark.parametrize(
        "name", ["issuer", "authorization_url", "token_url", "user_info_url", "jwks_url"]
    )
    def test_any_of_its_addresses_without_https(self, project: Any, name: str) -> None:
        config = {**self.GITHUB, "endpoint": "https://id.example.com", name: "http://id.test/x"}
        assert self.found(project, oidc=config) == ["django_account.W016"]


class TestCountries:
    def test_no_database(self) -> None:
        assert checks.check_countries() == []

    @pytest.mark.parametrize("content", [None, b"<html>"], ids=["missing", "no database"])
    def test_one_that_cannot_be_read(
        self, settings: Any, tmp_path: Path, content: bytes | None
    ) -> None:
        path = tmp_path / "country.mmdb"
        if content is not None:
            path.write_bytes(content)
        settings.DJANGO_ACCOUNT = {"GEOIP_DATABASE": str(path)}
        assert ids(checks.check_countries()) == ["django_account.W012"]

    def test_good(self, settings: Any, tmp_path: Path) -> None:
        path = write_database(tmp_path / "country.mmdb")
        settings.DJANGO_ACCOUNT = {"GEOIP_DATABASE": path}
        assert checks.check_countries() == []

    @pytest.mark.parametrize("path", ["nowhere.Lookup", "django_account.conf.conf"])
    def test_lookup_class_that_is_none(self, settings: Any, path: str) -> None:
        settings.DJANGO_ACCOUNT = {"COUNTRY_LOOKUP": path}
        (error,) = checks.check_setting_values()
        assert (error.id, "COUNTRY_LOOKUP" in error.msg) == ("django_account.E007", True)

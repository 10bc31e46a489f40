"""``importaccounts --allauth``: who signed in by a provider with django-allauth does so with us."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import connection, models

from django_account import signals
from django_account.accounts.models import Account
from django_account.accounts.services import adopt_user
from django_account.administration.allauth import _RULES
from django_account.exceptions import InvalidArgument, ProviderUnsupported, UserAlreadyExists
from django_account.identities import services
from django_account.identities.models import MAX_UID, Identity
from django_account.identities.services import import_identity
from tests.api.rows import unchanged
from tests.identities.conftest import ISSUER, OIDC, SUCCESS, Browser
from tests.identities.far_side import FarSide, OpenIdProvider, Reply
from tests.identities.shapes import OPENID_SHAPES, SHAPES, TOKEN
from tests.identities.test_providers import CREDENTIALS, asked_of

pytestmark = pytest.mark.django_db

ADA = "ada@example.org"
SERVER = {"server_url": f"{ISSUER}/.well-known/openid-configuration"}

# As its migrations make them, on any database.
TABLES = {
    "account_emailaddress": "id integer, user_id integer, email varchar(254), verified bool",
    "socialaccount_socialaccount": "id integer, user_id integer, provider varchar(200), "
    "uid varchar(191), extra_data {json}",
    "socialaccount_socialapp": "id integer, provider varchar(30), provider_id varchar(200), "
    "client_id varchar(191), secret varchar(191), settings {json}",
}


class Allauth:
    """Django-allauth's tables."""

    def __init__(self) -> None:
        self.rows = 0

    def create(self, *tables: str) -> None:
        json_column = models.JSONField().db_type(connection)
        with connection.cursor() as cursor:
            for table in tables:
                columns = TABLES[table].format(json=json_column)
                cursor.execute(f"CREATE TABLE {table} ({columns})")

    def drop(self) -> None:
        with connection.cursor() as cursor:
            # What came after the tables; dropping them would commit it.
            cursor.execute("ROLLBACK")
            for table in TABLES:
                cursor.execute(f"DROP TABLE IF EXISTS {table}")

    def insert(self, table: str, *values: Any) -> None:
        self.rows += 1
        marks = ", ".join(["%s"] * (len(values) + 1))
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {table} VALUES ({marks})", [self.rows, *values])

    def address(self, user: Any, email: str, *, verified: bool = True) -> None:
        self.insert("account_emailaddress", user.pk, email, verified)

    def sign_in(self, user: Any, provider: str, uid: str, kept: Any) -> None:
        self.insert("socialaccount_socialaccount", user.pk, provider, uid, json.dumps(kept))

    def app(self, provider: str, name: str = "", client_id: str = "client-id", **more: Any) -> None:
        self.insert(
            "socialaccount_socialapp", provider, name, client_id, "s3cret", json.dumps(more)
        )


@pytest.fixture
def bare() -> Iterator[Allauth]:
    """A database without its tables."""
    allauth = Allauth()
    yield allauth
    if not connection.features.can_rollback_ddl:
        allauth.drop()


@pytest.fixture
def allauth(bare: Allauth) -> Allauth:
    bare.create(*TABLES)
    return bare


def new_user(name: str = "ada", email: str | None = None) -> Any:
    return get_user_model().objects.create_user(name, email or f"{name}@example.org")


def run(**options: Any) -> str:
    out = io.StringIO()
    call_command("importaccounts", allauth=True, stdout=out, **options)
    return out.getvalue()


def refused(**options: Any) -> str:
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("importaccounts", allauth=True, stdout=out, **options)
    return out.getvalue()


def identities() -> list[tuple[Any, ...]]:
    found = Identity.objects.values_list(
        "account__user__username", "provider", "provider_uid", "provider_email", "email_verified"
    )
    return sorted(found)


# --- the same person by the same provider, on the first try ---


def first_profile(key: str) -> Any:
    return next(iter(next(each for each in SHAPES if each.key == key).profile.values()))


# By allauth's provider: what it keeps, given the provider's answer, and what its id is.
KEEPS: dict[str, tuple[str, Callable[[Any], Any], Callable[[Any], Any]]] = {
    "amazon": ("amazon", lambda says: says, lambda kept: kept["user_id"]),
    "bitbucket_oauth2": (
        "bitbucket",
        lambda says: says | {"account_id": "557058:b0a1"},
        lambda kept: kept["account_id"],
    ),
    "box": ("box", lambda says: says, lambda kept: kept["id"]),
    "discord": ("discord", lambda says: says, lambda kept: kept["id"]),
    "disqus": ("disqus", lambda says: says["response"], lambda kept: kept["id"]),
    "dropbox": ("dropbox", lambda says: says, lambda kept: kept["account_id"]),
    "facebook": ("facebook", lambda says: says, lambda kept: kept["id"]),
    "figma": ("figma", lambda says: says, lambda kept: kept["id"]),
    "github": (
        "github",
        lambda says: says | {"url": "https://api.github.com/users/ada"},
        lambda kept: kept["id"],
    ),
    "gitlab": (
        "gitlab",
        lambda says: says | {"web_url": "https://gitlab.com/ada"},
        lambda kept: kept["id"],
    ),
    "kakao": ("kakao", lambda says: says, lambda kept: kept["id"]),
    "microsoft": ("microsoft", lambda says: says, lambda kept: kept["id"]),
    "notion": (
        "notion",
        lambda says: {"owner": says["bot"]["owner"], "workspace_id": "w1"},
        lambda kept: f"user-{kept['owner']['user']['id']}_workspace-w1",
    ),
    "salesforce": ("salesforce", lambda says: says, lambda kept: kept["user_id"]),
    "spotify": ("spotify", lambda says: says, lambda kept: kept["id"]),
    "stripe": (
        "stripe",
        lambda says: says,
        lambda kept: kept["id"],
    ),
    "tiktok": ("tiktok", lambda says: says["data"]["user"], lambda kept: kept["open_id"]),
    "twitch": ("twitch", lambda says: says["data"][0], lambda kept: kept["id"]),
    # Version 1.1 of its API has numbers.
    "twitter": ("x", lambda says: {"id": int(says["data"]["id"])}, lambda kept: kept["id"]),
    "twitter_oauth2": ("x", lambda says: says["data"], lambda kept: kept["id"]),
    "yahoo": ("yahoo", lambda says: says, lambda kept: kept["sub"]),
    "yandex": ("yandex", lambda says: says, lambda kept: kept["id"]),
    "zoom": ("zoom", lambda says: says, lambda kept: kept["id"]),
}

# The same for those who speak OpenID Connect: our key, and allauth's id for a subject.
OPENID_KEEPS: dict[str, tuple[str, Callable[[str], str]]] = {
    "apple": ("apple", lambda sub: sub),
    "auth0": ("auth0", lambda sub: sub),
    "google": ("google", lambda sub: sub),
    "okta": ("okta", lambda sub: sub),
    "slack": ("slack", lambda sub: f"T0001_{sub}"),
    # Sub-providers of its ``openid_connect``.
    "company-sso": ("oidc", lambda sub: sub),
    "our-keycloak": ("keycloak", lambda sub: sub),
    "linkedin": ("linkedin", lambda sub: sub),
}


def test_every_rule_is_tried() -> None:
    assert set(_RULES) <= KEEPS.keys() | OPENID_KEEPS.keys()


def count_as_ada(browser: Browser, user: Any) -> None:
    """Nothing but the id can have led there: her address here is not the one that she has there."""
    assert get_user_model().objects.count() == 1
    account = browser.get("/account").json()
    assert account["$id"] == user.django_account.public_id
    assert account["email"] == "countess@example.org"


@pytest.mark.parametrize("provider", KEEPS)
def test_sign_in_after_the_import(
    browser: Browser,
    far_side: FarSide,
    project: Callable[..., None],
    allauth: Allauth,
    provider: str,
) -> None:
    key, keep, id_of = KEEPS[provider]
    shape = next(each for each in SHAPES if each.key == key)
    project(OAUTH2_PROVIDERS={key: CREDENTIALS | shape.config})
    kept = keep(first_profile(key))
    user = new_user(email="countess@example.org")
    allauth.app(provider)
    allauth.sign_in(user, provider, str(id_of(kept)), kept)
    assert "1 sign-ins by providers linked" in run()
    user.refresh_from_db()

    answer = TOKEN if shape.token_answer is None else shape.token_answer
    far_side.says[shape.token] = (
        Reply(answer[0], content_type=answer[1]) if isinstance(answer, tuple) else answer
    )
    far_side.says |= shape.profile | shape.keys
    asked = asked_of(browser.start(key), shape)
    last = browser.come_back(key, code="the-code", state=asked["state"])
    assert last["Location"] == SUCCESS, last["Location"]
    count_as_ada(browser, user)
    assert Identity.objects.get().provider_uid == shape.person[0]


@pytest.mark.parametrize("provider", OPENID_KEEPS)
def test_openid_sign_in_after_the_import(
    browser: Browser,
    far_side: FarSide,
    project: Callable[..., None],
    settings: Any,
    allauth: Allauth,
    provider: str,
) -> None:
    key, id_of = OPENID_KEEPS[provider]
    shape = next(each for each in OPENID_SHAPES if each.key == key)
    credentials = dict(CREDENTIALS)
    if key == "apple":
        del credentials["client_secret"]
    project(OAUTH2_PROVIDERS={key: credentials | shape.config})
    settings.SOCIALACCOUNT_PROVIDERS = {
        "auth0": {"AUTH0_URL": "https://tenant.eu.auth0.com"},
        "okta": {"OKTA_BASE_URL": "dev-1.okta.com"},
    }
    if provider not in _RULES:
        allauth.app("openid_connect", provider, server_url=shape.issuer)
    sub = "00u1abcd"
    user = new_user(email="countess@example.org")
    allauth.sign_in(user, provider, id_of(sub), {"sub": sub, "email": ADA})
    assert "1 sign-ins by providers linked" in run()
    user.refresh_from_db()

    there = OpenIdProvider(far_side, shape.issuer, sub=sub)
    if shape.basic:
        there.document["token_endpoint_auth_methods_supported"] = ["client_secret_basic"]
    assert browser.sign_in_by(there, key)["Location"] == SUCCESS
    count_as_ada(browser, user)


# --- what is taken over, and how ---


def test_everything_of_a_person(allauth: Allauth, django_capture_on_commit_callbacks: Any) -> None:
    ada, bob = new_user("ada"), new_user("bob")
    allauth.address(ada, "Ada@Example.org")
    allauth.address(ada, "second@example.org")
    allauth.address(bob, "bob@example.org", verified=False)
    allauth.sign_in(ada, "google", "108", {"sub": "108", "email": "second@example.org"})
    allauth.sign_in(ada, "discord", "7", {"id": "7", "email": "never-proven@example.org"})
    allauth.sign_in(bob, "google", "109", {"sub": "109", "email": "bob@example.org"})
    with unchanged():
        foretold = run(dry_run=True)
    assert "3 sign-ins by providers would be linked, 0 there already" in foretold
    assert "2 would be created, 1 would be updated" in foretold
    assert set(foretold.splitlines()) >= {
        f"user {ada.pk}: + ada@example.org",
        f"user {ada.pk}: ada@example.org is verified",
        f"user {ada.pk}: + google 108 second@example.org",
        f"user {ada.pk}: + discord 7",
        f"user {bob.pk}: + google 109",
    }
    linked = []

    def receive(account: Account, identity: Identity, **kwargs: Any) -> None:
        linked.append((account.user_id, identity.provider_uid))

    signals.identity_linked.connect(receive)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            assert "2 created, 1 updated" in run()
    finally:
        signals.identity_linked.disconnect(receive)
    assert sorted(linked) == [(ada.pk, "108"), (ada.pk, "7"), (bob.pk, "109")]
    assert identities() == [
        ("ada", "discord", "7", "", False),
        ("ada", "google", "108", "second@example.org", True),
        ("bob", "google", "109", "", False),
    ]
    assert not any(each.provider_tokens.access for each in Identity.objects.all())
    with unchanged():
        again = run()
    assert "0 sign-ins by providers linked, 3 there already" in again
    assert "0 created, 0 updated" in again


def test_who_was_adopted_before_gets_the_rest(allauth: Allauth) -> None:
    ada = new_user()
    adopt_user(ada)
    allauth.address(ada, ADA)
    allauth.sign_in(ada, "google", "108", {"sub": "108"})
    with unchanged():
        foretold = run(dry_run=True)
    assert f"user {ada.pk}: ada@example.org is verified" in foretold
    assert "1 sign-ins by providers would be linked" in foretold
    assert "0 created, 1 updated" in run()
    assert identities() == [("ada", "google", "108", "", False)]


def test_goes_on_after_a_stop(allauth: Allauth, monkeypatch: pytest.MonkeyPatch) -> None:
    from django_account.management.commands import importaccounts

    for number in range(5):
        user = new_user(f"user{number}")
        allauth.sign_in(user, "google", str(number), {"sub": str(number)})
        allauth.sign_in(user, "discord", str(number), {"id": str(number)})
    calls = []

    def link(**given: Any) -> bool:
        calls.append(given)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return import_identity(**given)

    monkeypatch.setattr(importaccounts, "import_identity", link)
    monkeypatch.setattr(importaccounts.Command, "BATCH", 2)
    with pytest.raises(KeyboardInterrupt):
        run()
    # The third person is not half there.
    assert (Account.objects.count(), Identity.objects.count()) == (2, 4)
    assert "6 sign-ins by providers linked, 4 there already" in run()
    assert (Account.objects.count(), Identity.objects.count()) == (5, 10)


def test_anothers_identity_is_refused(allauth: Allauth) -> None:
    stranger, ada = new_user("eve"), new_user("ada")
    import_identity(account=adopt_user(stranger), provider="google", uid="108")
    allauth.sign_in(ada, "google", "108", {"sub": "108"})
    allauth.sign_in(ada, "discord", "7", {"id": "7"})
    with unchanged():
        assert f"user {ada.pk}: refused: google 108" in refused(dry_run=True)
    said = refused()
    assert f"user {ada.pk}: refused: google 108: Another account" in said
    assert "1 sign-ins by providers linked" in said
    assert [row[:3] for row in identities()] == [("ada", "discord", "7"), ("eve", "google", "108")]


def test_two_people_with_the_same_identity(allauth: Allauth) -> None:
    # Allauth takes its two kinds of X for two providers.
    for name, provider in (("ada", "twitter"), ("bob", "twitter_oauth2")):
        allauth.sign_in(new_user(name), provider, "42", {"id": "42"})
    with unchanged():
        foretold = refused(dry_run=True)
    assert ("1 sign-ins" in foretold, "1 refused" in foretold) == (True, True)
    assert "1 refused" in refused()
    assert [row[:3] for row in identities()] == [("ada", "x", "42")]


def test_two_people_with_the_same_address(allauth: Allauth) -> None:
    for name in ("ada", "bob"):
        user = new_user(name, ADA)
        allauth.address(user, ADA)
        allauth.sign_in(user, "google", name, {"sub": name})
    with unchanged():
        foretold = refused(dry_run=True)
    said = refused()
    assert f"user {user.pk}: refused: " in foretold
    assert f"user {user.pk}: refused: " in said
    assert "1 would be created, 1 would be updated" in foretold
    assert "1 created, 1 updated" in said
    assert identities() == [("ada", "google", "ada", "", False)]


def test_an_address_of_somebody_else_stays_theirs(allauth: Allauth) -> None:
    adopt_user(new_user("bob"))
    ada = new_user("ada")
    allauth.address(ada, "bob@example.org")
    allauth.sign_in(ada, "google", "108", {"sub": "108", "email": "bob@example.org"})
    run()
    assert identities() == [("ada", "google", "108", "", False)]


@pytest.mark.parametrize("missing", ["account_emailaddress", "socialaccount_socialaccount"])
def test_a_part_of_its_tables(bare: Allauth, missing: str) -> None:
    there = [table for table in list(TABLES)[:2] if table != missing]
    bare.create(*there)
    ada = new_user()
    if missing == "account_emailaddress":
        bare.sign_in(ada, "google", "108", {"sub": "108", "email": ADA})
    else:
        bare.address(ada, ADA)
    run()
    assert Account.objects.get().email_verified is (missing != "account_emailaddress")
    assert len(identities()) == (missing == "account_emailaddress")


# --- what nobody can tell for sure ---

GITLAB = {"web_url": "https://git.example.com/ada"}


@pytest.mark.parametrize(
    ("provider", "uid", "kept"),
    [
        # No id of ours.
        ("linkedin_oauth2", "k9", {"id": "k9"}),
        ("paypal", "u", {"user_id": "u"}),
        ("zoho", "1", {"ZUID": 1}),
        ("windowslive", "83605e110af6ff98", {"id": "83605e110af6ff98"}),
        ("amazon_cognito", "s", {"sub": "s"}),
        ("telegram", "1", {"id": 1}),
        ("nonsense", "1", {"id": 1}),
        # Another one than the provider's answer has, or none.
        ("google", "108", {"sub": "109"}),
        ("google", "108", {}),
        ("google", "108", None),
        ("google", "108", ["108"]),
        ("bitbucket_oauth2", "ada", {"username": "ada", "uuid": "{1}"}),
        ("bitbucket_oauth2", "5570", {"account_id": "5570"}),
        ("dropbox", "1234", {"uid": 1234}),
        ("notion", "user-2_workspace-w", {"owner": {"user": {"id": "1"}}}),
        ("slack", "T1_U1", {"team": {"id": "T1"}, "user": {"id": "U1"}}),
        ("slack", "T1_U1", {"sub": "U2"}),
        # Another server.
        ("github", "1", {"id": 1, "url": "https://github.example.com/api/v3/users/ada"}),
        ("github", "1", {"id": 1}),
        ("gitlab", "1", {"id": 1, **GITLAB}),
        ("salesforce", "005", {"user_id": "005", "sub": "https://test.salesforce.com/id/0/005"}),
        ("auth0", "auth0|1", {"sub": "auth0|1"}),
        ("okta", "00u1", {"sub": "00u1"}),
        ("kakao", "1", {"id": 1}),
        ("elsewhere", "108", {"sub": "108"}),
        ("twofold", "108", {"sub": "108"}),
        ("company", "108", {"id_token": {"sub": "108", "iss": "https://old.example.com"}}),
        ("company", "108", {"userinfo": {"sub": "109"}}),
        ("company", "108", {}),
        # An app of another kind by the name of a provider.
        ("facebook", "10158", {"id": "10158"}),
        ("discord", "7", {"id": "7"}),
    ],
)
def test_left(
    allauth: Allauth, project: Callable[..., None], provider: str, uid: str, kept: Any
) -> None:
    project(
        OAUTH2_PROVIDERS={
            "gitlab": CREDENTIALS,
            "kakao": CREDENTIALS,
            "oidc": OIDC,
            "auth0": CREDENTIALS | {"domain": "tenant.eu.auth0.com"},
            "okta": CREDENTIALS | {"domain": "dev-1.okta.com"},
        }
    )
    allauth.app("kakao", client_id="another")
    allauth.app("openid_connect", "elsewhere", server_url="https://elsewhere.example.com")
    allauth.app("openid_connect", "company", **SERVER)
    for kind in ("openid_connect", "saml"):
        allauth.app(kind, "twofold", **SERVER)
    allauth.app("saml", "facebook")
    allauth.app("discord")
    allauth.app("saml", "discord")
    allauth.sign_in(new_user(), provider, uid, kept)
    said = run()
    assert f"left: {provider}: 1 rows (" in said
    assert "people sign in by e-mail, or link it again" in said
    assert "0 sign-ins by providers linked" in said
    assert not Identity.objects.exists()


def test_another_gitlab_that_we_speak_to(allauth: Allauth, project: Callable[..., None]) -> None:
    project(OAUTH2_PROVIDERS={"gitlab": CREDENTIALS | {"endpoint": "https://git.example.com/"}})
    allauth.sign_in(new_user(), "gitlab", "1", {"id": 1, **GITLAB})
    run()
    assert [row[:3] for row in identities()] == [("ada", "gitlab", "1")]


def test_sub_providers_of_the_settings(
    allauth: Allauth, project: Callable[..., None], settings: Any
) -> None:
    """One whose id in allauth is another field than the subject."""
    project(OAUTH2_PROVIDERS={"oidc": OIDC})
    app = {"provider_id": "company", "settings": SERVER | {"uid_field": "email"}}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}, "google": {"SCOPE": []}}
    ada = new_user()
    allauth.address(ada, ADA)
    token = {"sub": "s-1", "iss": ISSUER}
    kept = {"userinfo": {"sub": "s-1", "email": ADA}, "id_token": token}
    allauth.sign_in(ada, "company", ADA, kept)
    run()
    assert identities() == [("ada", "oidc", "s-1", ADA, True)]


def test_an_older_table_of_apps(bare: Allauth) -> None:
    bare.create("socialaccount_socialaccount")
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE socialaccount_socialapp (provider varchar(30))")
        cursor.execute("INSERT INTO socialaccount_socialapp VALUES ('google')")
    bare.sign_in(new_user(), "google", "108", {"sub": "108"})
    run()
    assert [row[:3] for row in identities()] == [("ada", "google", "108")]


# --- the act below ---


def test_import_identity() -> None:
    ada, bob = adopt_user(new_user("ada")), adopt_user(new_user("bob"))
    assert import_identity(account=ada, provider="google", uid="108", email=" ADA@example.org")
    assert not import_identity(account=ada, provider="google", uid="108")
    with pytest.raises(UserAlreadyExists):
        import_identity(account=bob, provider="google", uid="108")
    with pytest.raises(ProviderUnsupported):
        import_identity(account=bob, provider="Google", uid="109")
    for uid in ("", "x" * (MAX_UID + 1), "a\x00", "\ud800"):
        with pytest.raises(InvalidArgument):
            import_identity(account=bob, provider="google", uid=uid)
    # An address on another's identity would lead to two accounts.
    import_identity(account=ada, provider="discord", uid="7", email="second@example.org")
    import_identity(account=bob, provider="discord", uid="8", email="second@example.org")
    assert identities() == [
        ("ada", "discord", "7", "second@example.org", True),
        ("ada", "google", "108", "ada@example.org", True),
        ("bob", "discord", "8", "", False),
    ]


def test_import_identity_while_somebody_links_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ada, bob = adopt_user(new_user("ada")), adopt_user(new_user("bob"))
    is_anothers = services._is_anothers

    def link_meanwhile(*given: Any) -> bool:
        Identity.objects.create(account=bob, provider="google", provider_uid="108")
        return is_anothers(*given)

    monkeypatch.setattr(services, "_is_anothers", link_meanwhile)
    with pytest.raises(UserAlreadyExists):
        import_identity(account=ada, provider="google", uid="108", email=ADA)
    # The transaction is still good.
    assert not Identity.objects.filter(account=ada).exists()

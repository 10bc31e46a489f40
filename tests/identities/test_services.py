"""Whose account an account elsewhere belongs to: a test for each row of the table of rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError

from django_account.accounts.models import Account
from django_account.accounts.services import create_account
from django_account.core.clients import ClientInfo
from django_account.exceptions import (
    AccountError,
    BadRequest,
    EmailDisposable,
    IdentityNotFound,
    InvalidEmail,
    LastWayToSignIn,
    NoProviderEmail,
    UserAlreadyExists,
    UserBlocked,
    UserCountExceeded,
)
from django_account.identities import services
from django_account.identities.models import Identity
from django_account.identities.oauth2 import Profile
from django_account.mfa import services as mfa
from django_account.mfa.models import Authenticator, RecoveryCode
from django_account.notifications.models import Delivery
from django_account.sessions.models import Session
from django_account.sessions.provider_tokens import ProviderTokens
from django_account.sessions.services import IssuedSession, create_session, create_token_session
from django_account.targets.models import Target
from django_account.tokens.models import Token
from django_account.tokens.services import issue_token

pytestmark = pytest.mark.django_db

CLIENT = ClientInfo(ip="203.0.113.9", user_agent="tests")
ADA = "ada@example.org"
PASSWORD = "correct horse"

# Ada at a provider that vouches for her address.
PROFILE = Profile(
    provider="github",
    uid="583231",
    email=ADA,
    email_verified=True,
    name="Ada Lovelace",
    tokens=ProviderTokens(access="access", refresh="refresh"),
)


def sign_in(
    profile: Profile = PROFILE, account: Account | None = None, current: Session | None = None
) -> IssuedSession:
    return services.create_oauth2_session(
        profile=profile, account=account, current=current, client=CLIENT
    )


def owner(issued: IssuedSession) -> Account:
    """Whose session it is, as the database has them."""
    return Account.objects.with_user().get(pk=issued.session.account.pk)


def signed_up(email: str | None = ADA, *, verified: bool = False, **rest: Any) -> Account:
    account = create_account(email=email, **rest)
    if verified:
        Account.objects.filter(pk=account.pk).update(email_verified=True)
    return Account.objects.with_user().get(pk=account.pk)


def linked(account: Account, **values: Any) -> Identity:
    given = {"provider": "github", "provider_uid": "583231", "provider_email": "", **values}
    return Identity.objects.create(account=account, **given)


def send_no_mail(settings: Any) -> None:
    dummy = "django.core.mail.backends.dummy.EmailBackend"
    if hasattr(settings, "MAILERS"):
        settings.MAILERS = {"default": {"BACKEND": dummy}}
    else:
        settings.EMAIL_BACKEND = dummy


def refused(error: type[AccountError], *args: Any, **kwargs: Any) -> None:
    """Check that a sign-in is refused and changes nothing."""
    before = [list(model.objects.values()) for model in (Account, Identity, Session, Token, Target)]
    with pytest.raises(error):
        sign_in(*args, **kwargs)
    after = [list(model.objects.values()) for model in (Account, Identity, Session, Token, Target)]
    assert after == before


class TestSomebodySignedIn:
    def test_row_1_comes_back_by_their_identity(self) -> None:
        ada = signed_up()
        identity = linked(ada)
        assert owner(sign_in(account=ada)) == ada
        assert Identity.objects.get().pk == identity.pk

    def test_row_2_cannot_have_anothers_identity(self) -> None:
        linked(signed_up("bob@example.org"))
        refused(UserAlreadyExists, account=signed_up("eve@example.org"))

    def test_row_3_cannot_have_anothers_address(self) -> None:
        signed_up(ADA, verified=True)
        refused(UserAlreadyExists, account=signed_up("eve@example.org"))

    def test_row_3_cannot_have_an_address_on_anothers_identity(self) -> None:
        linked(signed_up("bob@example.org"), provider="google", provider_email=ADA)
        refused(UserAlreadyExists, account=signed_up("eve@example.org"))

    def test_row_3_cannot_have_the_address_of_one_of_the_sites_users(self) -> None:
        get_user_model().objects.create_user("ada", ADA, PASSWORD)
        refused(UserAlreadyExists, account=signed_up("eve@example.org"))

    @pytest.mark.parametrize("email", ["", "no address", "ada@localhost"])
    def test_row_4_needs_an_address_when_they_have_none(self, email: str) -> None:
        refused(InvalidEmail, replace(PROFILE, email=email), account=signed_up(None))

    def test_row_5_links(self) -> None:
        eve = signed_up("eve@example.org", name="Eve")
        issued = sign_in(account=eve)
        identity = Identity.objects.get()
        assert (identity.account, identity.provider_email) == (eve, ADA)
        assert (owner(issued).email, owner(issued).name) == ("eve@example.org", "Eve")
        assert not owner(issued).email_verified

    def test_row_5_links_a_provider_that_tells_no_address(self) -> None:
        eve = signed_up("eve@example.org")
        sign_in(replace(PROFILE, email="", email_verified=False), account=eve)
        assert Identity.objects.get().account == eve

    def test_row_5_verifies_an_address_that_both_sides_call_theirs(self) -> None:
        ada = signed_up(password=PASSWORD)
        issued = sign_in(account=ada)
        assert owner(issued).email_verified
        assert owner(issued).user.check_password(PASSWORD)

    def test_row_5_converts_an_anonymous_account(self) -> None:
        anonymous = create_account()
        Account.objects.filter(pk=anonymous.pk).update(prefs={"theme": "dark"}, labels=["a"])
        account = owner(sign_in(account=anonymous))
        assert account.public_id == anonymous.public_id
        assert (account.prefs, account.labels) == ({"theme": "dark"}, ["a"])
        assert (account.email, account.email_verified, account.name) == (ADA, True, "Ada Lovelace")
        assert account.user.email == ADA
        target = Target.objects.get(account=account)
        assert (target.provider_type, target.identifier) == ("email", ADA)

    def test_row_5_converts_with_an_address_that_nobody_vouches_for(self) -> None:
        anonymous = create_account()
        account = owner(sign_in(replace(PROFILE, email_verified=False), account=anonymous))
        assert (account.email, account.email_verified) == (ADA, False)

    def test_row_5_an_anonymous_account_cannot_take_anothers_address(self) -> None:
        signed_up()
        refused(UserAlreadyExists, account=create_account())

    def test_the_site_may_refuse_the_address(self, project: Callable[..., None]) -> None:
        project(BLOCK_EMAILS=["disposable"])
        profile = replace(PROFILE, email="ada@mailinator.com")
        refused(EmailDisposable, profile, account=create_account())


class TestNobodySignedIn:
    def test_row_6_somebody_comes_back_by_their_identity(self) -> None:
        ada = signed_up("elsewhere@example.org")
        linked(ada)
        assert owner(sign_in()) == ada
        assert owner(sign_in(replace(PROFILE, email=""))) == ada
        assert Account.objects.count() == 1

    def test_row_6_uids_compare_exactly(self) -> None:
        ada = signed_up("elsewhere@example.org")
        linked(ada, provider_uid="aBc")
        for uid in ("abc", "ABC", "aBc ", "äBc"):
            refused(NoProviderEmail, replace(PROFILE, uid=uid, email=""))
        assert owner(sign_in(replace(PROFILE, uid="aBc", email=""))) == ada

    def test_row_6_one_uid_at_two_providers_is_two_people(self) -> None:
        linked(signed_up("elsewhere@example.org"))
        assert owner(sign_in(replace(PROFILE, provider="gitlab"))).email == ADA

    def test_row_6_keeps_the_new_tokens(self) -> None:
        linked(signed_up("elsewhere@example.org"))
        sign_in()
        assert Identity.objects.get().provider_tokens.access == "access"

    def test_row_7_needs_an_address(self) -> None:
        refused(NoProviderEmail, replace(PROFILE, email=""))

    def test_row_8_needs_a_valid_address(self) -> None:
        refused(InvalidEmail, replace(PROFILE, email="not an address"))

    @pytest.mark.parametrize("verified", [True, False])
    def test_row_9_an_address_that_nobody_vouches_for_does_not_link(self, verified: bool) -> None:
        signed_up(verified=verified)
        refused(BadRequest, replace(PROFILE, email_verified=False))

    def test_row_10_links_by_an_address_verified_on_both_sides(self) -> None:
        ada = signed_up(verified=True, password=PASSWORD, name="Ada")
        create_session(account=ada, provider="email", factors=["password"], client=CLIENT)
        issued = sign_in(replace(PROFILE, email="ADA@Example.ORG"))
        assert owner(issued) == ada
        assert owner(issued).user.check_password(PASSWORD)
        assert owner(issued).name == "Ada"
        assert Session.objects.count() == 2

    def test_row_11_takes_an_unverified_account_from_whoever_made_it(self) -> None:
        """Pre-hijacking: a stranger signs up with Ada's address and waits for her."""
        account = signed_up(password=PASSWORD, phone="+14155550100", name="Ada")
        Account.objects.filter(pk=account.pk).update(
            phone_verified=True, mfa_enabled=True, prefs={"theme": "dark"}
        )
        stolen = create_session(
            account=account, provider="email", factors=["password"], client=CLIENT
        )
        issue_token(account=account, kind=Token.Kind.MAGIC_URL, address=ADA)
        linked(account, provider_uid="the stranger's", provider_email="eve@example.org")
        mfa.create_authenticator(account=account)
        mfa.create_recovery_codes(account=account)

        issued = sign_in()

        ada = owner(issued)
        assert ada == account
        assert ada.email_verified
        assert not ada.user.has_usable_password()
        assert (ada.phone, ada.phone_verified, ada.mfa_enabled) == (None, False, False)
        assert ada.password_changed_at is None
        assert ada.prefs == {"theme": "dark"}
        assert list(Session.objects.all()) == [issued.session]
        assert not Session.objects.filter(public_id=stolen.session.public_id).exists()
        assert not Token.objects.exists()
        assert not Authenticator.objects.exists()
        assert not RecoveryCode.objects.exists()
        assert [identity.provider_uid for identity in Identity.objects.all()] == ["583231"]
        assert [target.identifier for target in Target.objects.all()] == [ADA]

    def test_row_11_one_of_the_sites_users_signs_in_by_a_provider(self) -> None:
        user = get_user_model().objects.create_user("ada", ADA, PASSWORD)
        issued = sign_in()
        assert owner(issued).user == user
        assert owner(issued).email_verified
        assert not owner(issued).user.has_usable_password()

    def test_row_11_does_not_touch_somebody_blocked(self) -> None:
        account = signed_up(password=PASSWORD)
        get_user_model().objects.filter(pk=account.user_id).update(is_active=False)
        refused(UserBlocked)

    def test_row_12_an_address_on_an_identity_needs_vouching(self) -> None:
        linked(
            signed_up("bob@example.org"),
            provider="google",
            provider_email=ADA,
            email_verified=True,
        )
        refused(BadRequest, replace(PROFILE, email_verified=False))

    def test_row_13_links_by_an_address_vouched_for_at_two_providers(self) -> None:
        ada = signed_up("elsewhere@example.org")
        linked(ada, provider="google", provider_email=ADA, email_verified=True)
        assert owner(sign_in()) == ada

    def test_row_14_an_identity_with_an_unproven_address_does_not_attract_its_owner(self) -> None:
        """Pre-hijacking by an identity: a stranger's provider says Ada's address, unverified."""
        eve = signed_up("eve@example.org")
        linked(eve, provider="figma", provider_email=ADA, email_verified=False)
        assert owner(sign_in()) != eve
        assert owner(sign_in()).email == ADA

    @pytest.mark.parametrize("verified", [True, False])
    def test_row_14_makes_an_account(self, verified: bool) -> None:
        issued = sign_in(replace(PROFILE, email_verified=verified))
        ada = owner(issued)
        assert (ada.email, ada.email_verified, ada.name) == (ADA, verified, "Ada Lovelace")
        assert not ada.has_password
        assert ada.password_changed_at is None
        assert Target.objects.get(account=ada).identifier == ADA
        assert Identity.objects.get().email_verified is verified

    def test_row_14_within_the_users_limit(self, project: Callable[..., None]) -> None:
        project(USERS_LIMIT=1)
        signed_up("bob@example.org")
        refused(UserCountExceeded)

    def test_row_14_within_the_sites_rules_for_addresses(
        self, project: Callable[..., None]
    ) -> None:
        project(BLOCK_EMAILS=["disposable"])
        refused(EmailDisposable, replace(PROFILE, email="ada@mailinator.com"))

    def test_somebody_blocked_stays_out(self) -> None:
        account = signed_up("elsewhere@example.org")
        linked(account)
        get_user_model().objects.filter(pk=account.user_id).update(is_active=False)
        refused(UserBlocked)


class TestSession:
    def test_shows_the_provider(self) -> None:
        session = Session.objects.get(pk=sign_in().session.pk)
        assert (session.provider, session.provider_uid) == ("github", "583231")
        assert session.factors == ["email", "oauth2"]
        assert session.provider_tokens.access == "access"
        assert session.provider_tokens.refresh == "refresh"

    def test_is_one_factor_where_the_site_wants_it(self, project: Callable[..., None]) -> None:
        project(MFA_AFTER_OAUTH2=True)
        ada = signed_up(verified=True)
        Account.objects.update(mfa_enabled=True)
        issued = sign_in()
        assert issued.session.factors == ["oauth2"]
        assert len(issued.session.factors) < owner(issued).required_factors
        token = services.create_oauth2_token(profile=PROFILE)
        exchanged = create_token_session(
            account_id=ada.public_id, secret=token.secret, client=CLIENT
        )
        assert exchanged.session.factors == ["oauth2"]

    def test_takes_the_place_of_the_one_that_asked(self) -> None:
        ada = signed_up()
        old = create_session(account=ada, provider="email", factors=["password"], client=CLIENT)
        other = create_session(account=ada, provider="email", factors=["password"], client=CLIENT)
        push = Target.objects.create(
            account=ada, session=old.session, provider_type="push", identifier="device"
        )
        issued = sign_in(account=ada, current=old.session)
        assert set(Session.objects.all()) == {other.session, issued.session}
        push.refresh_from_db()
        assert push.session == issued.session

    @pytest.mark.parametrize("place", [0, 1])
    def test_takes_its_place_within_the_cap(self, project: Callable[..., None], place: int) -> None:
        """Nobody else is signed out for it, and no push target is lost."""
        project(SESSION_LIMIT=2)
        ada = signed_up()
        made = [
            create_session(account=ada, provider="email", factors=["password"], client=CLIENT)
            for _ in range(2)
        ]
        old, other = made[place].session, made[1 - place].session
        push = Target.objects.create(
            account=ada, session=old, provider_type="push", identifier="device"
        )
        issued = sign_in(account=ada, current=old)
        assert set(Session.objects.all()) == {other, issued.session}
        push.refresh_from_db()
        assert push.session == issued.session

    def test_no_alert_of_one_that_takes_the_only_ones_place(
        self, project: Callable[..., None]
    ) -> None:
        project(SESSION_ALERTS=True)
        anonymous = create_account()
        old = create_session(
            account=anonymous, provider="anonymous", factors=["anonymous"], client=CLIENT
        )
        sign_in(account=anonymous, current=old.session)
        assert not Delivery.objects.exists()
        sign_in()
        assert Delivery.objects.exists()

    def test_stays_when_the_sign_in_is_refused(self) -> None:
        eve = signed_up("eve@example.org")
        signed_up()
        old = create_session(account=eve, provider="email", factors=["password"], client=CLIENT)
        refused(UserAlreadyExists, account=eve, current=old.session)

    def test_keeps_within_the_cap(self, project: Callable[..., None]) -> None:
        project(SESSION_LIMIT=2)
        for _ in range(4):
            sign_in()
        assert Session.objects.count() == 2

    def test_tokens_are_not_readable_in_the_database(self) -> None:
        sign_in(replace(PROFILE, tokens=ProviderTokens("gho_readable", "ghr_readable")))
        stored = str([*Session.objects.values(), *Identity.objects.values()])
        assert "readable" not in stored
        assert "readable" not in repr(Identity.objects.get().provider_tokens)

    def test_tokens_are_gone_with_the_sites_key(self, settings: Any) -> None:
        sign_in()
        settings.SECRET_KEY = "another"
        assert Identity.objects.get().provider_tokens.access == ""
        settings.SECRET_KEY_FALLBACKS = ["tests-only-" + "x" * 50]
        assert Identity.objects.get().provider_tokens.access == "access"


class TestUniqueness:
    def test_an_identity_is_one_persons(self) -> None:
        linked(signed_up())
        with pytest.raises(IntegrityError):
            linked(signed_up("bob@example.org"))

    def test_a_parallel_first_sign_in_is_found_when_ours_comes_too_late(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The other request commits between our look-up and our insert."""
        resolve, rounds = services.resolve, []

        def late(profile: Profile, account: Account | None = None) -> Identity:
            rounds.append(1)
            if len(rounds) == 1:
                raise IntegrityError
            return resolve(profile, account)

        monkeypatch.setattr(services, "resolve", late)
        assert owner(sign_in()).email == ADA
        assert len(rounds) == 2


class TestUnlink:
    def test_unlinks(self) -> None:
        account = owner(sign_in())
        services.unlink(account=account, identity_id=Identity.objects.get().public_id)
        assert not Identity.objects.exists()
        assert Session.objects.count() == 1

    def test_not_anothers(self) -> None:
        identity = linked(signed_up())
        with pytest.raises(IdentityNotFound):
            services.unlink(account=signed_up("eve@example.org"), identity_id=identity.public_id)
        assert Identity.objects.exists()

    def test_not_a_token_that_is_on_its_way(self) -> None:
        issued = services.create_oauth2_token(profile=PROFILE)
        services.unlink(account=issued.token.account, identity_id=Identity.objects.get().public_id)
        assert not Token.objects.exists()

    def last(self) -> None:
        with pytest.raises(LastWayToSignIn):
            services.unlink(
                account=Account.objects.get(), identity_id=Identity.objects.earliest("pk").public_id
            )
        assert Identity.objects.exists()

    def test_not_the_last_way_to_sign_in(self, project: Callable[..., None]) -> None:
        project(AUTH_METHODS={"email-password": False, "magic-url": False, "email-otp": False})
        sign_in()
        self.last()

    def test_not_the_last_way_where_the_site_sends_no_mail(self, settings: Any) -> None:
        send_no_mail(settings)
        sign_in()
        self.last()

    def test_another_identity_counts_while_its_provider_is_on(
        self, settings: Any, project: Callable[..., None]
    ) -> None:
        send_no_mail(settings)
        account = owner(sign_in())
        linked(account, provider="gitlab", provider_uid="7")
        self.last()
        project(OAUTH2_PROVIDERS={"gitlab": {"client_id": "1", "client_secret": "2"}})
        services.unlink(account=account, identity_id=Identity.objects.earliest("pk").public_id)
        assert Identity.objects.get().provider == "gitlab"

    def test_a_password_counts(self, settings: Any) -> None:
        send_no_mail(settings)
        account = signed_up(password=PASSWORD)
        services.unlink(account=account, identity_id=linked(account).public_id)

    def test_a_phone_number_counts(self, settings: Any, project: Callable[..., None]) -> None:
        send_no_mail(settings)
        account = signed_up(phone="+14155550100")
        identity = linked(account)
        project(AUTH_METHODS={"phone": False})
        self.last()
        project(AUTH_METHODS={"phone": True})
        services.unlink(account=account, identity_id=identity.public_id)

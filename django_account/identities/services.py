"""Signing in with an account elsewhere, linking and unlinking it.

Whose account here is meant, by the first row that fits (mfa-oauth.md §9.7). *Theirs* is what the
provider says: its id for the person, their address, and whether it vouches for the address.

===  =========  ==========================================  =======================================
row  signed in  theirs                                      then
===  =========  ==========================================  =======================================
 1   Ada        id is Ada's identity                        Ada
 2   Ada        id is another's identity                    refused: it is another person's
 3   Ada        address is another's, or on another's       refused: it is another person's
                identity
 4   Ada        Ada has no address, theirs cannot be hers   refused: an address is needed
 5   Ada        anything else                               linked to Ada; without an address she
                                                            takes theirs, verified if they vouch
 6   nobody     id is somebody's identity                   that person
 7   nobody     no address                                  refused: an address is needed
 8   nobody     no valid address                            refused: an address is needed
 9   nobody     an account has the address, not vouched     refused, without saying why
10   nobody     an account has the address, vouched,        linked to that person
                verified here too
11   nobody     an account has the address, vouched,        linked to that person, once all that a
                unverified here                             stranger may have put there is gone
12   nobody     address on an identity, not vouched         refused, without saying why
13   nobody     address vouched on an identity, vouched     linked to that person
14   nobody     nobody has the address                      a new account, verified if they vouch
===  =========  ==========================================  =======================================

Somebody blocked is refused in every row. In row 11 the account was made by whoever typed the
address first; the password, sessions, tokens, identities, phone number and second factor they left
would open it for them (pre-hijacking), so only the id, name, preferences and labels stay. In row 13
an identity whose address nobody vouches for counts for nothing: row 14.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from django.db import IntegrityError, transaction
from django.utils import timezone

from django_account import signals
from django_account.accounts import users
from django_account.accounts.models import Account
from django_account.accounts.passwords import PASSWORD_FIELDS
from django_account.accounts.services import (
    create_account,
    find_account,
    lock_account,
    mark_verified,
    require_welcome_email,
)
from django_account.conf import conf
from django_account.core import emails
from django_account.core.clients import ClientInfo
from django_account.exceptions import (
    BadRequest,
    IdentityNotFound,
    InvalidEmail,
    LastWayToSignIn,
    NoProviderEmail,
    UserAlreadyExists,
    UserBlocked,
    UserNotFound,
)
from django_account.identities.models import Identity
from django_account.identities.oauth2 import Profile, renew_tokens
from django_account.identities.providers.registry import PROVIDERS, is_enabled
from django_account.sessions.models import Session
from django_account.sessions.services import (
    IssuedSession,
    create_identity_session,
    end_sessions,
    extend_session,
)
from django_account.targets.services import move_address
from django_account.tokens.models import Token
from django_account.tokens.services import IssuedToken, issue_token, revoke_tokens
from django_account.tokens.wrapped import wrap_secret

Result = TypeVar("Result")

# How often the rules are read anew when a parallel sign-in has changed what they were read from.
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class IssuedOAuth2Token:
    """A new OAuth2 token with its secret as the app sees it, which exists nowhere else."""

    token: Token
    secret: str = field(repr=False)


def create_oauth2_session(
    *,
    profile: Profile,
    account: Account | None = None,
    current: Session | None = None,
    client: ClientInfo,
    alerts: bool = True,
) -> IssuedSession:
    """Sign somebody in by an account elsewhere that has been proven, by the rules above.

    Args:
        account: who is signed in.
        current: their session, which the new one takes the place of.
        client: who is asking.
        alerts: whether the person may be told of the session by e-mail.

    Raises:
        UserAlreadyExists, InvalidEmail, NoProviderEmail, BadRequest, UserBlocked: as the rules say.
        UserCountExceeded, and the other errors of a sign-up.
    """

    def sign_in() -> IssuedSession:
        identity = resolve(profile, account)
        return create_identity_session(
            identity=identity,
            account=identity.account,
            client=client,
            replaces=current,
            alerts=alerts,
        )

    return _in_rounds(sign_in)


def create_oauth2_token(*, profile: Profile, account: Account | None = None) -> IssuedOAuth2Token:
    """The same for an app that exchanges a secret for the session. Sessions stay until then.

    Raises:
        UserAlreadyExists, InvalidEmail, NoProviderEmail, BadRequest, UserBlocked: as the rules say.
        UserCountExceeded, and the other errors of a sign-up.
    """

    def issue() -> IssuedToken:
        identity = resolve(profile, account)
        return issue_token(account=identity.account, kind=Token.Kind.OAUTH2, identity=identity)

    issued = _in_rounds(issue)
    secret = wrap_secret(issued.secret, token=issued.token, provider=profile.provider)
    return IssuedOAuth2Token(issued.token, secret)


class Outdated(Exception):
    """A parallel request has changed what the rules were read from."""


def _in_rounds(act: Callable[[], Result]) -> Result:
    """Act in a transaction, and again by the rules as they are when a parallel request was faster.

    Raises:
        UserAlreadyExists, UserNotFound: it was, time and again.
    """
    for rounds_left in reversed(range(_ROUNDS)):
        try:
            with transaction.atomic():
                return act()
        except (IntegrityError, Outdated):
            if not rounds_left:
                raise UserAlreadyExists from None
        except UserNotFound:
            if not rounds_left:
                raise
    raise AssertionError


def resolve(profile: Profile, account: Account | None = None) -> Identity:
    """Find or make the identity of a profile, by the rules above. Call it in a transaction.

    Args:
        account: who is signed in.

    Returns:
        the identity, with its account and the tokens that the provider has just given.

    Raises:
        UserAlreadyExists, InvalidEmail, NoProviderEmail, BadRequest, UserBlocked: as the rules say.
        UserCountExceeded, and the other errors of a sign-up.
        Outdated, IntegrityError, UserNotFound: a parallel request was faster; the rules must be
            read anew.
    """
    identity = (
        Identity.objects.select_related("account__user")
        .filter(provider=profile.provider, provider_uid=profile.uid)
        .first()
    )
    if identity is None:
        owner = _owner_of(profile, account)
    elif account is None or identity.account_id == account.pk:
        owner = identity.account
    else:
        raise UserAlreadyExists(_ANOTHERS)
    owner = lock_account(owner)
    if not owner.is_active:
        raise UserBlocked
    if owner.email is None:
        if identity is None:
            _take_address(owner, profile)
    elif profile.email_verified and not owner.email_verified and account is not None:
        # Signed in here and vouched for there: both say that it is theirs.
        mark_verified(owner, "email", _normal(profile.email) or "")
    if not owner.name and profile.name:
        owner.name = profile.name
        Account.objects.filter(pk=owner.pk).update(name=owner.name, updated_at=timezone.now())
        signals.send_on_commit(signals.account_updated, account=owner, attribute="name")
    if identity is None:
        identity = Identity(
            account=owner,
            provider=profile.provider,
            provider_uid=profile.uid,
            provider_email=_normal(profile.email) or "",
            email_verified=profile.email_verified,
        )
        identity.provider_tokens = profile.tokens
        identity.save(force_insert=True)
        signals.send_on_commit(signals.identity_linked, account=owner, identity=identity)
        return identity
    identity.account = owner
    identity.provider_tokens = profile.tokens
    identity.updated_at = timezone.now()
    # Unlinked while we waited for the account: it must not come back.
    if not Identity.objects.filter(pk=identity.pk).update(
        **identity.token_values, updated_at=identity.updated_at
    ):
        raise Outdated
    return identity


def whom_it_names(profile: Profile) -> dict[str, str]:
    """Whose account a profile would lead to, as a parameter of ours names them: by the identity,
    else by the address, which need not be vouched for nor be anybody's."""
    owner_id = (
        Identity.objects.filter(provider=profile.provider, provider_uid=profile.uid)
        .values_list("account__public_id", flat=True)
        .first()
    )
    if owner_id is not None:
        return {"userId": owner_id}
    email = _normal(profile.email)
    return {} if email is None else {"email": email}


_ANOTHERS = "This identity, or its address, is another person's here. Sign in as that person first."


def _owner_of(profile: Profile, account: Account | None) -> Account:
    """Whose a new identity becomes."""
    email = _normal(profile.email)
    if account is not None:
        if email is not None and _is_anothers(email, account):
            raise UserAlreadyExists(_ANOTHERS)
        return account
    if not profile.email:
        raise NoProviderEmail
    if email is None:
        raise InvalidEmail
    owner = find_account(email=email)
    if owner is not None:
        if not profile.email_verified:
            raise BadRequest
        owner = lock_account(owner)
        if owner.email != email:
            raise Outdated
        if not owner.email_verified and owner.is_active:
            hand_over(owner)
        return owner
    on_identities = Identity.objects.filter(provider_email=email)
    if not profile.email_verified and on_identities.exists():
        raise BadRequest
    vouched = on_identities.filter(email_verified=True).select_related("account__user")
    if (known := vouched.order_by("pk").first()) is not None:
        return known.account
    try:
        made = create_account(email=email, name=profile.name, by_identity=True)
    except UserAlreadyExists:
        # A parallel sign-in has made it.
        raise Outdated from None
    if profile.email_verified:
        mark_verified(made, "email", email)
    return made


def _is_anothers(email: str, account: Account) -> bool:
    """Whether somebody else has an address, on the account or on an identity."""
    others = Account.objects.exclude(pk=account.pk)
    return (
        others.filter(email=email).exists()
        or others.filter(identities__provider_email=email).exists()
        or (account.email != email and users.has_user_with(email=email))
    )


def _normal(email: str) -> str | None:
    try:
        return emails.normalize(email)
    except ValueError:
        return None


def _take_address(account: Account, profile: Profile) -> None:
    """Give an account without an address the provider's: so an anonymous one becomes a full one."""
    email = _normal(profile.email)
    if email is None:
        raise InvalidEmail
    require_welcome_email(email)
    account.email, account.email_verified = email, profile.email_verified
    Account.objects.filter(pk=account.pk).update(
        email=email, email_verified=account.email_verified, updated_at=timezone.now()
    )
    move_address(account=account, provider_type="email", old=None, new=email)
    users.write_address(account.user, users.email_field(), email, account.public_id)
    signals.send_on_commit(signals.account_updated, account=account, attribute="email")


def hand_over(account: Account) -> None:
    """Make an account its address's proven owner's, and nobody else's. Call it with the account
    locked.

    Whoever typed the address first may have left ways in: they all go.
    """
    account.user.set_unusable_password()
    users.save(account.user, ["password"])
    end_sessions(account=account)
    revoke_tokens(account=account, kinds=set(Token.Kind))
    for identity in Identity.objects.filter(account=account):
        _delete(identity, account)
    # Second factors of a package above this one.
    account.user.django_account_authenticators.all().delete()
    account.recovery_codes.all().delete()
    account.challenges.all().delete()
    move_address(account=account, provider_type="sms", old=account.phone, new=None)
    if account.phone is not None:
        users.write_address(account.user, users.phone_field(), None, account.public_id)
    account.email_verified = True
    account.phone, account.phone_verified = None, False
    account.mfa_enabled = False
    account.password_changed_at, account.password_history = None, []
    account.password_reset_required = False
    account.save(
        update_fields=[
            *("email_verified", "phone", "phone_verified", "mfa_enabled", "updated_at"),
            *PASSWORD_FIELDS,
        ]
    )
    for attribute in ("email-verification", "password"):
        signals.send_on_commit(signals.account_updated, account=account, attribute=attribute)


def extend_oauth2_session(session: Session) -> None:
    """Extend a session, and have its provider renew the access token where it can be.

    Raises:
        SessionNotFound: it has been ended in the meantime.
        ProviderUnsupported, ProviderDisabled: the provider is no longer known or set up.
        OAuth2BadRequest, OAuth2Unauthorized, OAuth2ProviderError: it does not renew it. Nothing has
            changed then, the session's end neither.
    """
    tokens = session.provider_tokens
    if not tokens.refresh:
        extend_session(session)
        return
    identities = Identity.objects.filter(
        account=session.account_id, provider=session.provider, provider_uid=session.provider_uid
    )
    # The identity has the newest: another session may have renewed the same token, and a provider
    # that takes each refresh token once would refuse ours.
    if (identity := identities.first()) is not None and identity.provider_tokens.refresh:
        tokens = identity.provider_tokens
    renewed = renew_tokens(provider_key=session.provider, uid=session.provider_uid, tokens=tokens)
    with transaction.atomic():
        extend_session(session, renewed)
        identities.update(**session.token_values, updated_at=timezone.now())


def unlink(*, account: Account, identity_id: str) -> None:
    """Take an identity from a person. Sessions that began with it stay.

    Raises:
        IdentityNotFound: the person has no such identity.
        LastWayToSignIn: without it they could never sign in again.
    """
    with transaction.atomic():
        owner = lock_account(account)
        identity = Identity.objects.filter(account=owner, public_id=identity_id).first()
        if identity is None:
            raise IdentityNotFound
        if not _has_another_way(owner, identity):
            raise LastWayToSignIn
        _delete(identity, owner)


def remove(*, identity_id: str) -> Account:
    """Take an identity from whoever has it, also if it is the last way in: for the site's servers.

    Returns:
        the person who had it.

    Raises:
        IdentityNotFound: there is no such identity.
    """
    with transaction.atomic():
        found = Identity.objects.select_related("account").filter(public_id=identity_id)
        identity = found.first()
        if identity is None or not _delete(identity, identity.account):
            raise IdentityNotFound
    return identity.account


def _delete(identity: Identity, account: Account) -> bool:
    """Take an identity away, and tell of it. False when somebody else has just done so."""
    deleted, _ = Identity.objects.filter(pk=identity.pk).delete()
    if deleted:
        signals.send_on_commit(signals.identity_deleted, account=account, identity=identity)
    return bool(deleted)


def _has_another_way(account: Account, identity: Identity) -> bool:
    """Whether a person can sign in without an identity."""
    methods = conf.auth_methods
    if account.email is not None and (
        (account.has_password and methods["email-password"])
        # A link or a code to the address, or a new password by one.
        or (
            any(methods[name] for name in ("email-password", "magic-url", "email-otp"))
            and conf.sends_mail
        )
    ):
        return True
    if account.phone is not None and methods["phone"] and conf.sends_sms:
        return True
    others = Identity.objects.filter(account=account).exclude(pk=identity.pk)
    return any(
        other.provider in PROVIDERS and is_enabled(PROVIDERS[other.provider]) for other in others
    )

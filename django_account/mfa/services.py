"""Enrolling, proving and removing second factors (mfa-oauth.md §8)."""

from __future__ import annotations

import secrets
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from django_account import signals
from django_account.accounts.lookups import lock
from django_account.accounts.models import GATE_FACTORS, Account
from django_account.accounts.services import lock_account
from django_account.conf import conf
from django_account.exceptions import (
    AuthenticatorAlreadyVerified,
    AuthenticatorNotFound,
    ChallengeRequired,
    InvalidToken,
    RecoveryCodesAlreadyExist,
    RecoveryCodesNotFound,
    SessionNotFound,
    TooManyWrongAnswers,
    UserNotFound,
)
from django_account.mfa.factors import all_factors, find_factor, require_enabled
from django_account.mfa.factors.base import Factor
from django_account.mfa.factors.totp import provisioning_uri
from django_account.mfa.models import Authenticator, Challenge, GuessCount, RecoveryCode
from django_account.selfservice.delivery import tell_of_removal
from django_account.selfservice.passwordless import Requester
from django_account.sessions.models import Session
from django_account.sessions.services import add_factors, withdraw_factors

# Of recovery codes: how many, and of how many hex digits.
RECOVERY_CODES, RECOVERY_CODE_LENGTH = 6, 10

# A session may begin with these, so that they stay with it whatever is removed.
_BEGINNINGS = frozenset({"email", "phone"})

# --- on and off ---------------------------------------------------------------------------------


def update_mfa(
    *, account: Account, session: Session | None, enabled: bool, requester: Requester
) -> None:
    """Have signing in ask for a second factor, or not any more.

    Switching on adds the factors that the person has verified to the session that asks, which is
    thereby not locked out; every other session has to prove one. Switching off is told by e-mail.

    Args:
        session: the one that asks.

    Raises:
        SessionNotFound: it has been ended, or there is none.
        ChallengeRequired: off, with MFA_REQUIRE_FRESH_PROOF, without a recent challenge.
        UserNotFound: the account has been deleted in the meantime.
    """
    if session is None:
        raise SessionNotFound
    if not enabled and conf.mfa_require_fresh_proof and account.required_factors > 1:
        require_fresh_proof(session)
    with transaction.atomic():
        locked = lock_account(account)
        _save(account, mfa_enabled=enabled)
        if enabled:
            add_factors(session, locked.verified_factors)
        signals.send_on_commit(signals.account_updated, account=account, attribute="mfa")
        if enabled != locked.mfa_enabled:
            event = signals.mfa_enabled if enabled else signals.mfa_disabled
            signals.send_on_commit(event, account=account)
            if not enabled:
                tell_of_removal(account, locale=requester.locale, client=requester.client)


def require_fresh_proof(session: Session | None) -> None:
    """Refuse a session that has not completed a challenge lately (MFA_PROOF_DURATION).

    Raises:
        ChallengeRequired.
    """
    proven_at = session.mfa_updated_at if session is not None else None
    if proven_at is None or proven_at + conf.mfa_proof_duration < timezone.now():
        raise ChallengeRequired


def list_factors(account: Account, session: Session | None = None) -> dict[str, bool]:
    """Which factors the person can answer a challenge for.

    Args:
        session: while it owes a second factor, one that it has already is not offered: proving it
            again adds nothing (mfa-oauth.md §8.2).
    """
    owes = session is not None and len(session.factors) < account.required_factors
    has = session.factors if session is not None and owes else []
    return {
        name: factor.is_enabled and name not in has and factor.is_ready(account)
        for name, factor in all_factors().items()
    }


# --- authenticators -----------------------------------------------------------------------------


def create_authenticator(*, account: Account) -> tuple[str, str]:
    """Make an authenticator, which means nothing until it is confirmed. An earlier unconfirmed one
    is replaced.

    Returns:
        the seed in Base32, and the URI for a QR code. Neither is shown again.

    Raises:
        AuthenticatorAlreadyVerified: there is a confirmed one.
        UserNotFound: the account has been deleted in the meantime.
    """
    with transaction.atomic():
        lock_account(account)
        device = _find_authenticator(account)
        if device is not None and device.confirmed:
            raise AuthenticatorAlreadyVerified
        if device is not None:
            device.delete()
        device, seed = Authenticator.new(account.user)
        device.save(force_insert=True)
    return seed, provisioning_uri(account, seed)


def confirm_authenticator(*, account: Account, session: Session | None, code: str) -> None:
    """Show that one has the authenticator. The session has proven ``totp`` thereby.

    Raises:
        SessionNotFound: there is no session that asks, or not any more.
        AuthenticatorNotFound: there is none.
        AuthenticatorAlreadyVerified: it is confirmed already.
        InvalidToken: the code is wrong, or used.
        TooManyWrongAnswers: of this account, within an hour.
    """
    if session is None:
        raise SessionNotFound
    _unconfirmed(account)
    if not GuessCount.objects.claim(account.user_id):
        raise TooManyWrongAnswers(GuessCount.objects.wait(account.user_id))
    with transaction.atomic():
        lock_account(account)
        # Again, now that nobody replaces it.
        device = _unconfirmed(account)
        is_right = device.accept(code)
        if is_right:
            device.confirmed = True
            device.save(update_fields=["confirmed"])
            account.totp_verified = True
            add_factors(session, [device.type])
            signals.send_on_commit(
                signals.authenticator_added, account=account, type=str(device.type)
            )
    if not is_right:
        raise InvalidToken
    GuessCount.objects.give_back(account.user_id)


def delete_authenticator(
    *, account: Account, session: Session | None, requester: Requester
) -> None:
    """Remove the authenticator, confirmed or not. A confirmed one's removal is told by e-mail.

    No other session keeps a claim to it. The one that asks keeps its own while the person has
    another factor, so that it is not locked out by what it does; with the last factor go all claims
    to any.

    Raises:
        AuthenticatorNotFound: there is none.
        UserNotFound: the account has been deleted in the meantime.
    """
    with transaction.atomic():
        locked = lock_account(account)
        device = _find_authenticator(account)
        if device is None:
            raise AuthenticatorNotFound
        device.claims_seen_to = True
        device.delete()
        Challenge.objects.filter(account=account, factor=device.type).delete()
        if not device.confirmed:
            return
        account.totp_verified = locked.totp_verified = False
        if locked.verified_factors:
            withdraw_factors(account, {device.type}, asking=session, keep_own=True)
        else:
            withdraw_factors(account, GATE_FACTORS, asking=session)
        signals.send_on_commit(
            signals.authenticator_removed, account=account, type=str(device.type)
        )
        tell_of_removal(account, locale=requester.locale, client=requester.client)


def follow_authenticator(
    sender: type[Authenticator], instance: Authenticator, origin: Any = None, **kw: Any
) -> None:
    """Receiver of an authenticator's ``post_save`` and ``post_delete``: the account's flag for the
    gate is what the table says, whoever changed it, and no session keeps a claim to what the site's
    own code deletes.

    Args:
        origin: what was deleted, if anything: it, a queryset, or its user.
    """
    confirmed = Authenticator.objects.confirmed().filter(
        user=OuterRef("user"), type=Authenticator.Type.TOTP
    )
    Account.objects.filter(user=instance.user_id).update(totp_verified=Exists(confirmed))
    goes_alone = getattr(origin, "model", type(origin)) is Authenticator
    if goes_alone and instance.confirmed and not instance.claims_seen_to:
        with transaction.atomic():
            account = Account.objects.filter(user=instance.user_id).first()
            locked = lock(account) if account is not None else None
            if locked is not None:
                gone = {instance.type} if locked.verified_factors else GATE_FACTORS
                withdraw_factors(locked, gone)


def _find_authenticator(account: Account) -> Authenticator | None:
    return Authenticator.objects.filter(user=account.user_id, type=Authenticator.Type.TOTP).first()


def _unconfirmed(account: Account) -> Authenticator:
    device = _find_authenticator(account)
    if device is None:
        raise AuthenticatorNotFound
    if device.confirmed:
        raise AuthenticatorAlreadyVerified
    return device


# --- challenges ---------------------------------------------------------------------------------


def create_challenge(
    *, account: Account, session: Session | None, factor: Factor, requester: Requester
) -> Challenge:
    """Ask a session for a second factor. It can be answered by this session only.

    Raises:
        SessionNotFound: there is no session that asks.
        FactorDisabled: the site has switched the factor off.
        AuthenticatorNotFound, MailDisabled, EmailNotFound, EmailNotVerified, SMSDisabled,
            PhoneNotFound, PhoneNotVerified: it could not be answered.
        UserNotFound: the account has been deleted in the meantime.
    """
    if session is None:
        raise SessionNotFound
    require_enabled(factor)
    factor.require_ready(account)
    with transaction.atomic():
        challenge = Challenge(
            account=lock_account(account),
            session_public_id=session.public_id,
            factor=factor.name,
            expires_at=timezone.now() + conf.mfa_challenge_duration,
        )
        factor.begin(challenge, requester)
        challenge.save(force_insert=True)
    return challenge


def complete_challenge(*, session: Session | None, challenge_id: str, answer: str) -> Session:
    """Answer a challenge, and use it up. The session has proven the factor thereby, just now.

    Every answer counts before it is looked at, for the challenge and for the account. Call it
    outside any transaction: the counts must stay when this raises.

    Returns:
        the session with what it has proven.

    Raises:
        SessionNotFound: there is no session that asks.
        InvalidToken: the challenge is unknown, expired, answered, dead of wrong answers or another
            session's, or the answer is wrong; the cases cannot be told apart.
        FactorDisabled: the site has switched the factor off in the meantime.
        TooManyWrongAnswers: of this account, within an hour.
    """
    if session is None:
        raise SessionNotFound
    account = session.account
    challenge = (
        Challenge.objects.open()
        .filter(public_id=challenge_id, account=account, session_public_id=session.public_id)
        .first()
    )
    factor = find_factor(challenge.factor) if challenge is not None else None
    if challenge is None or factor is None:
        raise InvalidToken
    require_enabled(factor)
    if not challenge.claim_try():
        raise InvalidToken
    if not GuessCount.objects.claim(account.user_id):
        raise TooManyWrongAnswers(GuessCount.objects.wait(account.user_id))
    try:
        with transaction.atomic():
            challenge.account = lock_account(account)
            is_right = factor.accepts(challenge, answer)
            if is_right:
                _use_up(challenge, session)
    except (UserNotFound, SessionNotFound):
        raise InvalidToken from None
    if not is_right:
        raise InvalidToken
    GuessCount.objects.give_back(account.user_id)
    return session


def _use_up(challenge: Challenge, session: Session) -> None:
    """The one place where a challenge dies of its answer.

    Raises:
        InvalidToken: somebody was faster; what the answer used up comes back with the transaction.
    """
    if not Challenge.objects.filter(pk=challenge.pk).delete()[0]:
        raise InvalidToken
    add_factors(session, [challenge.factor], proven_at=timezone.now())
    signals.send_on_commit(
        signals.challenge_completed,
        account=session.account,
        session=session,
        factor=challenge.factor,
    )


def find_custom_challenge(*, account: Account, challenge_id: str) -> Challenge:
    """A challenge whose ``code`` a server of the site may read and deliver.

    Raises:
        InvalidToken: it is none, or another factor's, another person's, or not open any more.
    """
    challenge = Challenge.objects.open().filter(public_id=challenge_id, account=account).first()
    if challenge is None or not challenge.code:
        raise InvalidToken
    return challenge


# --- recovery codes -----------------------------------------------------------------------------


def create_recovery_codes(*, account: Account) -> list[str]:
    """Make a set of recovery codes.

    Raises:
        RecoveryCodesAlreadyExist: some of an earlier set are unused.
        UserNotFound: the account has been deleted in the meantime.
    """
    with transaction.atomic():
        lock_account(account)
        if RecoveryCode.objects.filter(account=account).exists():
            raise RecoveryCodesAlreadyExist
        return _new_recovery_codes(account)


def update_recovery_codes(*, account: Account) -> list[str]:
    """Make a new set of recovery codes in place of the old.

    Raises:
        RecoveryCodesNotFound: there is none.
        UserNotFound: the account has been deleted in the meantime.
    """
    with transaction.atomic():
        lock_account(account)
        if not RecoveryCode.objects.filter(account=account).delete()[0]:
            raise RecoveryCodesNotFound
        return _new_recovery_codes(account)


def list_recovery_codes(*, account: Account) -> list[str]:
    """The unused recovery codes, in the order in which they were shown at first.

    Raises:
        RecoveryCodesNotFound: there are none.
    """
    codes = [each.code for each in RecoveryCode.objects.filter(account=account).order_by("number")]
    if not any(codes):
        raise RecoveryCodesNotFound
    return [code for code in codes if code]


def _new_recovery_codes(account: Account) -> list[str]:
    codes = [secrets.token_hex(RECOVERY_CODE_LENGTH // 2) for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create(
        RecoveryCode.new(account, number, code) for number, code in enumerate(codes, start=1)
    )
    signals.send_on_commit(signals.recovery_codes_created, account=account)
    return codes


# --- a person who has lost everything -----------------------------------------------------------


def reset_mfa(*, account: Account, requester: Requester | None = None) -> None:
    """Take a person's second factors away, when they have lost them: for the site's staff.

    The authenticator, the recovery codes and every open challenge go, MFA is off, and no session
    keeps a claim to what is gone. A verified e-mail address or phone number stays one. The person
    is told by e-mail.

    Args:
        requester: who asked, for the language of the e-mail; the site's own when left out.

    Raises:
        UserNotFound: the account has been deleted in the meantime.
    """
    with transaction.atomic():
        was = lock_account(account)
        Authenticator.objects.filter(user=account.user_id).delete()
        RecoveryCode.objects.filter(account=account).delete()
        Challenge.objects.filter(account=account).delete()
        GuessCount.objects.filter(user=account.user_id).delete()
        account.totp_verified = False
        _save(account, mfa_enabled=False)
        withdraw_factors(account, all_factors().keys() - _BEGINNINGS)
        signals.send_on_commit(signals.account_updated, account=account, attribute="mfa")
        if was.mfa_enabled:
            signals.send_on_commit(signals.mfa_disabled, account=account)
        if was.totp_verified:
            # It is one act, of which the update above tells.
            with signals.reporting():
                signals.send_on_commit(
                    signals.authenticator_removed,
                    account=account,
                    type=str(Authenticator.Type.TOTP),
                )
        if requester is None:
            tell_of_removal(was)
        else:
            tell_of_removal(was, locale=requester.locale, client=requester.client)


def _save(account: Account, **values: Any) -> None:
    account.updated_at = timezone.now()
    for name, value in values.items():
        setattr(account, name, value)
    Account.objects.filter(pk=account.pk).update(**values, updated_at=account.updated_at)

"""Signing in and out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import QuerySet
from django.dispatch import Signal
from django.utils import timezone

from django_account import signals
from django_account.accounts.models import Account
from django_account.accounts.services import (
    authenticate,
    create_account,
    lock_account,
    mark_verified,
)
from django_account.conf import conf
from django_account.core.clients import MAX_USER_AGENT, ClientInfo
from django_account.core.crypto import digest, generate_secret
from django_account.exceptions import (
    InvalidCredentials,
    InvalidToken,
    NotWhileImpersonating,
    SessionAlreadyExists,
    SessionNotFound,
    UserBlocked,
    UserNotFound,
)
from django_account.sessions.alerts import is_alarming, request_alert
from django_account.sessions.credentials import encode_credential
from django_account.sessions.lookups import delete, find_surplus
from django_account.sessions.models import IMPERSONATION, Session
from django_account.sessions.provider_tokens import ProviderTokens
from django_account.targets.models import Target
from django_account.tokens.models import Token
from django_account.tokens.services import find_token, redeem_token

if TYPE_CHECKING:
    from django_account.identities.models import Identity


@dataclass(frozen=True, slots=True)
class IssuedSession:
    """A new session with its secret, which exists nowhere else."""

    session: Session
    secret: str = field(repr=False)

    @property
    def credential(self) -> str:
        """What the client presents from now on (sessions.credentials)."""
        return encode_credential(self.session.account.public_id, self.secret)


def create_email_password_session(
    *, email: str, password: str, client: ClientInfo, duration: timedelta | None = None
) -> IssuedSession:
    """Sign somebody in by e-mail and password.

    Args:
        email: in normal form.
        password: in clear.
        client: who is asking.
        duration: how long the session lives; SESSION_DURATION when left out, and at most.

    Raises:
        InvalidCredentials: they belong to nobody.
        UserBlocked: they are right and the person is blocked.
    """
    account = authenticate(email=email, password=password)
    try:
        return create_session(
            account=account,
            provider="email",
            provider_uid=email,
            factors=["password"],
            client=client,
            duration=duration,
            verified=account.user.password,
        )
    except UserNotFound:
        # Deleted while the password was being checked: the credentials belong to nobody now.
        raise InvalidCredentials from None


def create_anonymous_session(*, client: ClientInfo) -> IssuedSession:
    """Make an account with nothing but an id and sign it in.

    Raises:
        UserCountExceeded: USERS_LIMIT is reached.
    """
    with transaction.atomic():
        account = create_account()
        return create_session(
            account=account, provider="anonymous", factors=["anonymous"], client=client
        )


def oauth2_factors() -> list[str]:
    """What a sign-in by an OAuth2 provider proves: two factors, so that nobody is asked for another
    here (mfa-oauth.md §8.2), unless MFA_AFTER_OAUTH2."""
    return ["oauth2"] if conf.mfa_after_oauth2 else ["email", "oauth2"]


# What a session by a one-time secret looks like: its provider, its factors (core.md §4.7), and the
# account's flag that the secret proves.
_BY_TOKEN: dict[Token.Kind, tuple[str, list[str], str | None]] = {
    Token.Kind.MAGIC_URL: ("magic-url", ["email"], "email"),
    Token.Kind.EMAIL_CODE: ("token", ["email"], "email"),
    Token.Kind.PHONE_CODE: ("phone", ["phone"], "phone"),
    Token.Kind.GENERIC: ("token", ["token"], None),
    # The provider and the factors are the identity's.
    Token.Kind.OAUTH2: ("", [], None),
}


def create_token_session(
    *, account_id: str, secret: str, client: ClientInfo, current: Session | None = None
) -> IssuedSession:
    """Sign somebody in by a magic URL, a code, a server's custom token or an OAuth2 token, and use
    it up.

    An address that the secret was sent to is verified thereby, if it is still the account's.

    Args:
        current: a session of the one who asks. An OAuth2 token of the same person takes its place;
            nothing else may be redeemed on top of it.

    Raises:
        InvalidToken: it is none, or not any more.
        UserBlocked: it is right and the person is blocked; it is not used up.
        SessionAlreadyExists: somebody is signed in who stays; it is not used up.
    """
    token = find_token(account_id=account_id, secret=secret, kinds=_BY_TOKEN)
    provider, factors, proves = _BY_TOKEN[Token.Kind(token.kind)]
    account = token.account
    if current is not None and (
        token.kind != Token.Kind.OAUTH2 or current.account_id != account.pk
    ):
        raise SessionAlreadyExists
    try:
        with transaction.atomic():
            redeem_token(token)
            if proves is not None:
                mark_verified(account, proves, token.address)
            if token.identity is not None:
                return create_identity_session(
                    identity=token.identity, account=account, client=client, replaces=current
                )
            return create_session(
                account=account, provider=provider, factors=factors, client=client
            )
    except UserNotFound:
        raise InvalidToken from None


def create_server_session(*, account: Account, client: ClientInfo) -> IssuedSession:
    """Sign somebody in on behalf of a server, without any proof of theirs.

    Args:
        client: the person's, as the server forwards it.

    Raises:
        UserNotFound: the account has been deleted in the meantime.
    """
    return create_session(
        account=account, provider="server", factors=["server"], client=client, by_server=True
    )


def create_impersonation_session(
    *, account: Account, actor: Account, reason: str, client: ClientInfo
) -> IssuedSession:
    """Sign a member of staff in as a person, for ADMIN_IMPERSONATION_DURATION at most. Who may is
    for the caller to see (administration.impersonation).

    Nobody is told by e-mail, no session of the person's ends for it, and no second factor is asked
    for: what it guards is closed to such a session.

    Args:
        actor: the account of the member of staff.
        reason: in their words, for ``impersonation_started``.

    Raises:
        UserNotFound: the account has been deleted in the meantime.
    """
    with transaction.atomic():
        issued = create_session(
            account=account,
            provider=IMPERSONATION,
            provider_uid=actor.public_id,
            factors=["staff", IMPERSONATION],
            client=client,
            duration=conf.admin_impersonation_duration,
            by_server=True,
            alerts=False,
            event=None,
        )
        signals.send_on_commit(
            signals.impersonation_started,
            account=account,
            session=issued.session,
            actor=actor,
            reason=reason,
        )
    return issued


def create_identity_session(
    *,
    identity: Identity,
    account: Account,
    client: ClientInfo,
    replaces: Session | None = None,
    alerts: bool = True,
) -> IssuedSession:
    """Sign somebody in by their account at an OAuth2 provider, which has been proven.

    Args:
        account: the identity's.
        replaces: a session of the same account that ends as this one begins; the push targets that
            hang on it move over.
        alerts: whether the session may be told of by e-mail (alerts.is_alarming).

    Raises:
        UserBlocked, UserNotFound: the account was blocked or deleted in the meantime.
    """
    return create_session(
        account=account,
        provider=identity.provider,
        provider_uid=identity.provider_uid,
        provider_tokens=identity.provider_tokens,
        factors=oauth2_factors(),
        client=client,
        replaces=replaces,
        alerts=alerts,
    )


def create_session(
    *,
    account: Account,
    provider: str,
    factors: Sequence[str],
    client: ClientInfo,
    provider_uid: str = "",
    provider_tokens: ProviderTokens | None = None,
    duration: timedelta | None = None,
    by_server: bool = False,
    replaces: Session | None = None,
    alerts: bool = True,
    event: Signal | None = signals.session_created,
    verified: str | None = None,
) -> IssuedSession:
    """Sign an account in, and end its oldest sessions beyond SESSION_LIMIT.

    The secret is minted before, and the cap holds inside, one transaction that parallel sign-ins of
    the same person pass one after the other.

    Args:
        by_server: the site signs the person in: it may be blocked, and SESSION_LIMIT waits for the
            next sign-in (users.md §2).
        replaces: a session of the account that ends as this one begins, and hands its push targets
            on.
        alerts: whether the session may be told of by e-mail (alerts.is_alarming).
        event: what tells of it; None where the caller does.
        verified: the hash of the password that the person signs in by.

    Raises:
        UserBlocked, UserNotFound: the account was blocked or deleted in the meantime.
        InvalidCredentials: the password was changed or taken away in the meantime.
    """
    secret = generate_secret()
    now = timezone.now()
    lifetime = min(duration or conf.session_duration, conf.session_duration)
    session = Session(
        account=account,
        secret_digest=digest(secret),
        provider=provider,
        provider_uid=provider_uid,
        factors=list(factors),
        ip=client.ip,
        user_agent=client.user_agent[:MAX_USER_AGENT],
        client=client.details.as_dict(),
        country_code=conf.country_lookup.locate(client.ip),
        expires_at=now + lifetime,
        created_at=now,
    )
    if provider_tokens is not None:
        session.provider_tokens = provider_tokens
    with transaction.atomic():
        if not lock_account(account, verified=verified).is_active and not by_server:
            raise UserBlocked
        session.save(force_insert=True)
        if replaces is not None:
            # Before anybody counts: it is no other session to warn of, and takes no place under the
            # cap, which would end it or another one with its targets.
            Target.objects.filter(session=replaces).update(session=session)
            _delete(account, Session.objects.filter(pk=replaces.pk))
        if alerts and is_alarming(account, session):
            request_alert(account, session, client)
        if not by_server:
            enforce_limit(account)
        if event is not None:
            signals.send_on_commit(event, account=account, session=session)
    return IssuedSession(session, secret)


def enforce_limit(account: Account) -> None:
    """End the oldest sessions until SESSION_LIMIT are left. Call it with the account locked."""
    if not conf.session_limit:
        return
    for session, has_targets in find_surplus(account, conf.session_limit):
        # One that somebody else has just ended has been reported by them.
        if delete(session, has_targets=has_targets):
            signals.send_on_commit(signals.session_deleted, account=account, session=session)


def extend_session(session: Session, provider_tokens: ProviderTokens | None = None) -> None:
    """Give a session a whole new SESSION_DURATION from now on.

    Args:
        provider_tokens: what its OAuth2 provider has renewed; None for no change.

    Raises:
        NotWhileImpersonating: a member of staff acts as the person in it.
        SessionNotFound: it has been ended in the meantime.
    """
    if session.actor_id:
        raise NotWhileImpersonating
    session.expires_at = timezone.now() + conf.session_duration
    session.updated_at = timezone.now()
    if provider_tokens is not None:
        session.provider_tokens = provider_tokens
    with transaction.atomic():
        extended = Session.objects.filter(pk=session.pk).update(
            expires_at=session.expires_at,
            updated_at=session.updated_at,
            **(session.token_values if provider_tokens is not None else {}),
        )
        if extended:
            signals.send_on_commit(
                signals.session_updated, account=session.account, session=session
            )
    if not extended:
        raise SessionNotFound


def add_factors(
    session: Session, factors: Iterable[str], *, proven_at: datetime | None = None
) -> None:
    """Note what else a session has proven; what it has already is not noted twice.

    Call it with the account locked, as everybody who changes the factors of its sessions.

    Args:
        proven_at: when a challenge was completed, which makes the proof a fresh one.

    Raises:
        SessionNotFound: it has been ended in the meantime.
    """
    now_has = Session.objects.filter(pk=session.pk).values_list("factors", flat=True).first()
    if now_has is None:
        raise SessionNotFound
    session.factors = list(dict.fromkeys([*now_has, *factors]))
    session.mfa_updated_at = proven_at or session.mfa_updated_at
    session.updated_at = timezone.now()
    changed: dict[str, Any] = {"factors": session.factors, "updated_at": session.updated_at}
    if proven_at is not None:
        changed["mfa_updated_at"] = proven_at
    if not Session.objects.filter(pk=session.pk).update(**changed):
        raise SessionNotFound


def withdraw_factors(
    account: Account,
    factors: Collection[str],
    *,
    asking: Session | None = None,
    keep_own: bool = False,
) -> None:
    """Take a claim away that sessions have no more right to, and with it their fresh proof.

    Call it with the account locked.

    What a session began with stays, whatever it is: a session without any factor is none.

    Args:
        factors: the names.
        asking: the session that wants it so, whose proof stays fresh.
        keep_own: whether that one keeps its claim too.
    """
    for session in Session.objects.filter(account=account):
        is_asking = asking is not None and session.pk == asking.pk
        left = session.factors[:1] + [name for name in session.factors[1:] if name not in factors]
        if left == session.factors or (is_asking and keep_own):
            continue
        changed: dict[str, Any] = {"factors": left, "updated_at": timezone.now()}
        if not is_asking:
            changed["mfa_updated_at"] = None
        Session.objects.filter(pk=session.pk).update(**changed)


def end_session(session: Session) -> None:
    """End one session, and the push targets that hang on it.

    Raises:
        SessionNotFound: it has been ended in the meantime.
    """
    if not _delete(session.account, Session.objects.filter(pk=session.pk)):
        raise SessionNotFound


def end_sessions(*, account: Account, keep: Session | None = None) -> int:
    """End all of a person's sessions.

    Args:
        keep: one that lives on.

    Returns:
        how many were ended.
    """
    sessions = Session.objects.filter(account=account)
    if keep is not None:
        sessions = sessions.exclude(pk=keep.pk)
    return _delete(account, sessions)


def _delete(account: Account, sessions: QuerySet[Session]) -> int:
    """Delete sessions and say so once for each: of two parallel calls, one finds them gone."""
    with transaction.atomic():
        ended = list(sessions.select_for_update())
        if ended:
            Session.objects.filter(pk__in=[session.pk for session in ended]).delete()
        for session in ended:
            signals.send_on_commit(signals.session_deleted, account=account, session=session)
    return len(ended)

"""The registry of routes and events: what changes something says what the log calls it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from django_account.api import urls
from django_account.api.pages import LinkPage
from django_account.core.activity import EVENTS

READING = {"get", "head", "options"}

# What may be called without a trace, and why.
UNLOGGED = {
    # users.md §8.1, core.md §10.1: a JWT is no more than the session, which is logged.
    "create_jwt",
    "users.create_jwt",
    # users.md §8.1
    "users.update_prefs",
    # It hands what it gets on to the redirect, which is logged.
    "oauth2_callback_by_form",
}

# Routes that browsers are led to, so that they are read, and that sign in.
LED_TO = {"complete_oauth2"}

# core.md §10.1, mfa-oauth.md §2.
CONTRACT = {
    "create": "user.create",
    "delete_account": "user.delete",
    "update_prefs": "user.update",
    "update_name": "user.update",
    "update_password": "user.update",
    "update_email": "user.update",
    "update_phone": "user.update",
    "update_status": "user.update",
    "create_email_password_session": "session.create",
    "create_anonymous_session": "session.create",
    "create_session": "session.create",
    "update_magic_url_session": "session.create",
    "update_phone_session": "session.create",
    "create_magic_url_token": "session.create",
    "create_email_token": "session.create",
    "create_phone_token": "session.create",
    "complete_oauth2": "session.create",
    "create_id_token_session": "session.create",
    "delete_identity": "identity.delete",
    "update_session": "session.update",
    "delete_session": "session.delete",
    "delete_sessions": "session.delete",
    "create_recovery": "recovery.create",
    "update_recovery": "recovery.update",
    "create_recovery_otp": "recovery.create",
    "update_recovery_otp": "recovery.update",
    "create_email_verification": "verification.create",
    "update_email_verification": "verification.update",
    "create_email_verification_otp": "verification.create",
    "update_email_verification_otp": "verification.update",
    "create_phone_verification": "verification.create",
    "update_phone_verification": "verification.update",
    "create_push_target": "target.create",
    "update_push_target": "target.update",
    "delete_push_target": "target.delete",
    "update_mfa": "user.update",
    "create_mfa_authenticator": "user.update",
    "update_mfa_authenticator": "user.update",
    "delete_mfa_authenticator": "user.update",
    "create_mfa_recovery_codes": "user.update",
    "update_mfa_recovery_codes": "user.update",
    "create_mfa_challenge": "challenge.create",
    "update_mfa_challenge": "challenges.update",
    # users.md §8.1
    **{
        f"users.{name}": "user.create"
        for name in (
            "create",
            "create_argon2_user",
            "create_bcrypt_user",
            "create_md5_user",
            "create_phpass_user",
            "create_sha_user",
            "create_scrypt_user",
            "create_scrypt_modified_user",
        )
    },
    "users.delete_user": "user.delete",
    **{
        f"users.update_{name}": "user.update"
        for name in (
            "status",
            "labels",
            "impersonator",
            "name",
            "password",
            "email",
            "phone",
            "mfa",
        )
    },
    "users.update_email_verification": "verification.update",
    "users.update_phone_verification": "verification.update",
    "users.create_session": "session.create",
    "users.delete_session": "session.delete",
    "users.delete_sessions": "session.delete",
    "users.create_token": "tokens.create",
    "users.create_mfa_recovery_codes": "user.update",
    "users.update_mfa_recovery_codes": "user.update",
    "users.delete_mfa_authenticator": "user.update",
    "users.create_target": "target.create",
    "users.update_target": "target.update",
    "users.delete_target": "target.delete",
    "users.delete_identity": "identity.delete",
}


def declared() -> Iterator[tuple[str, str, Any]]:
    """Each route's methods: the HTTP method, the action's name, and what it declares.

    Names of the Users API have its name before them: the Account API has some of them, too.
    """
    for pattern in urls.urlpatterns:
        view = pattern.callback
        for method, name in getattr(view, "actions", {}).items():
            spec = getattr(view.cls, name).endpoint
            yield method, f"users.{name}" if spec.service == "users" else name, spec


def test_every_route_that_writes_has_an_event() -> None:
    writing = {name: spec.event for method, name, spec in declared() if method not in READING}
    # Whatever has an event is held to the contract below.
    assert writing.keys() | LED_TO == CONTRACT.keys() | UNLOGGED
    assert {name for name, event in writing.items() if event is None} == UNLOGGED


def test_no_route_that_reads_has_one() -> None:
    reading = {
        spec.event for method, name, spec in declared() if method in READING and name not in LED_TO
    }
    assert reading == {None}


def test_every_event_is_in_the_vocabulary() -> None:
    events = {spec.event for *_, spec in declared()} - {None}
    assert events <= set(EVENTS)


@pytest.mark.parametrize(("action", "event"), CONTRACT.items())
def test_events_are_those_of_the_contract(action: str, event: str) -> None:
    assert {spec.event for _, name, spec in declared() if name == action} == {event}


def test_where_codes_are_tried_under_another_name() -> None:
    """Of these a refusal is logged, though their event is no attempt."""
    assert {name for _, name, spec in declared() if spec.tries} == {"update_mfa_authenticator"}


def test_every_page_has_an_event() -> None:
    pages = [
        pattern.callback.view_class
        for pattern in urls.page_urlpatterns
        if issubclass(pattern.callback.view_class, LinkPage)
    ]
    assert len(pages) == 3
    assert {page.event for page in pages} <= set(EVENTS)

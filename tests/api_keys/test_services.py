"""Making API keys and finding them again (transport.md §6.2)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_account.api_keys.models import GRANTABLE_SCOPES, ApiKey
from django_account.api_keys.services import (
    create_api_key,
    find_api_key,
    require_usable,
    touch_api_key,
)
from django_account.core.crypto import digest
from django_account.exceptions import ApiKeyExpired, InvalidArgument, UnknownApiKey

pytestmark = pytest.mark.django_db

MOMENT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def make(**given: Any) -> Any:
    return create_api_key(**{"name": "tests", "scopes": ["users.read"], **given})


class TestCreate:
    def test_secret_is_given_once_and_its_digest_kept(self) -> None:
        issued = make()
        assert re.fullmatch(r"standard_[0-9a-f]{256}", issued.secret)
        issued.api_key.refresh_from_db()
        assert issued.api_key.secret_digest == digest(issued.secret)
        assert issued.secret not in repr(issued)

    def test_two_keys_have_different_secrets(self) -> None:
        assert make().secret != make().secret

    def test_scopes_keep_their_order_once_each(self) -> None:
        key = make(scopes=["users.write", "users.read", "users.write"]).api_key
        assert key.scopes == ["users.write", "users.read"]

    def test_every_grantable_scope(self) -> None:
        assert make(scopes=GRANTABLE_SCOPES).api_key.scopes == list(GRANTABLE_SCOPES)

    def test_no_scope(self) -> None:
        assert make(scopes=[]).api_key.scopes == []

    @pytest.mark.parametrize("scope", ["account", "global", "", "users", "Users.Read", "*"])
    def test_scope_that_no_key_holds(self, scope: str) -> None:
        with pytest.raises(InvalidArgument, match="scopes"):
            make(scopes=["users.read", scope])
        assert not ApiKey.objects.exists()

    @pytest.mark.parametrize("name", ["", "x" * 129])
    def test_name_of_no_or_too_many_characters(self, name: str) -> None:
        with pytest.raises(InvalidArgument, match="128"):
            make(name=name)

    def test_is_named_for_people(self) -> None:
        assert str(make(name="billing").api_key) == "billing"


class TestFind:
    def test_right(self) -> None:
        make(name="other")
        issued = make()
        assert find_api_key(issued.secret) == issued.api_key

    def test_expired_one_is_found(self) -> None:
        issued = make(expires_at=MOMENT)
        assert find_api_key(issued.secret) == issued.api_key

    @pytest.mark.parametrize(
        "value", ["standard_", "standard_nope", "standard_" + "0" * 256, "nope", "0" * 256]
    )
    def test_unknown(self, value: str) -> None:
        make()
        with pytest.raises(UnknownApiKey):
            find_api_key(value)

    @pytest.mark.parametrize("value", ["dynamic_x", "account_x", "_x", "Standard_x", " standard_x"])
    def test_kind_that_is_ignored(self, value: str) -> None:
        assert find_api_key(value) is None

    @pytest.mark.parametrize("change", [str.upper, lambda s: s + "0", lambda s: s[:-1]])
    def test_nearly_right(self, change: Any) -> None:
        secret = make().secret
        with pytest.raises(UnknownApiKey):
            find_api_key("standard_" + change(secret.removeprefix("standard_")))

    def test_stored_digest_is_no_secret(self) -> None:
        key = make().api_key
        with pytest.raises(UnknownApiKey):
            find_api_key("standard_" + key.secret_digest)


class TestRequireUsable:
    def test_never_expires(self) -> None:
        require_usable(make().api_key)

    def test_until_its_last_moment(self) -> None:
        key = make(expires_at=MOMENT + timedelta(seconds=1)).api_key
        with time_machine.travel(MOMENT, tick=False) as clock:
            require_usable(key)
            clock.shift(1)
            with pytest.raises(ApiKeyExpired):
                require_usable(key)


class TestTouch:
    def test_writes_once_in_24_hours(self) -> None:
        key = make().api_key
        with time_machine.travel(MOMENT, tick=False) as clock:
            touch_api_key(key)
            key.refresh_from_db()
            assert key.accessed_at == MOMENT
            clock.shift(timedelta(hours=24))
            with CaptureQueriesContext(connection) as captured:
                touch_api_key(key)
            assert len(captured) == 0
            clock.shift(1)
            touch_api_key(key)
            key.refresh_from_db()
            assert key.accessed_at == MOMENT + timedelta(hours=24, seconds=1)

    def test_writes_nothing_else(self) -> None:
        issued = make()
        stale = ApiKey.objects.get()
        ApiKey.objects.update(scopes=[], name="renamed")
        touch_api_key(stale)
        issued.api_key.refresh_from_db()
        assert (issued.api_key.scopes, issued.api_key.name) == ([], "renamed")

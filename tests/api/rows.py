"""What is in the database, so that a test can say that a refused request changed nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth import get_user_model

from django_account.accounts.models import Account
from django_account.identities.models import Identity
from django_account.mfa.models import Authenticator, Challenge, RecoveryCode
from django_account.sessions.models import Session
from django_account.targets.models import Target


def contents() -> dict[str, list[dict[str, Any]]]:
    """Every row of people and of what is theirs."""
    people = (get_user_model(), Account, Session, Target, Identity)
    models = (*people, Authenticator, RecoveryCode, Challenge)
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


@contextmanager
def unchanged() -> Iterator[None]:
    """Hold the database to what it was before the block."""
    before = contents()
    yield
    assert contents() == before

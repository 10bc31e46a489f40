"""What an OAuth2 provider gave us to call it with, encrypted at rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import models

from django_account.core.crypto import decrypt, encrypt
from django_account.core.fields import SealedField

_PURPOSE = "provider-token"


@dataclass(frozen=True, slots=True)
class ProviderTokens:
    """A provider's access token, when it ends, and what renews it; empty where it gave none."""

    access: str = field(default="", repr=False)
    refresh: str = field(default="", repr=False)
    expires_at: datetime | None = None


class HoldsProviderTokens(models.Model):
    """The columns that hold them, on sessions and identities."""

    sealed_access_token = SealedField(purpose=_PURPOSE, blank=True, editable=False)
    sealed_refresh_token = SealedField(purpose=_PURPOSE, blank=True, editable=False)
    provider_token_expires_at = models.DateTimeField(null=True, blank=True, editable=False)

    # What an update of the tokens saves.
    TOKEN_FIELDS = ("sealed_access_token", "sealed_refresh_token", "provider_token_expires_at")

    class Meta:
        abstract = True

    @property
    def provider_tokens(self) -> ProviderTokens:
        """The tokens in clear; empty where the site has given up the key that sealed them."""
        return ProviderTokens(
            _unseal(self.sealed_access_token),
            _unseal(self.sealed_refresh_token),
            self.provider_token_expires_at,
        )

    @provider_tokens.setter
    def provider_tokens(self, tokens: ProviderTokens) -> None:
        self.sealed_access_token = _seal(tokens.access)
        self.sealed_refresh_token = _seal(tokens.refresh)
        self.provider_token_expires_at = tokens.expires_at

    @property
    def token_values(self) -> dict[str, Any]:
        """The columns as they are, for an update."""
        return {name: getattr(self, name) for name in self.TOKEN_FIELDS}


def _seal(token: str) -> str:
    return encrypt(token, _PURPOSE) if token else ""


def _unseal(sealed: str) -> str:
    try:
        return decrypt(sealed, _PURPOSE) if sealed else ""
    except ValueError:
        return ""

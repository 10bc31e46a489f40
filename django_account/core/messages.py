"""What is sent to a person, before it is rendered."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

from django.utils import timezone

from django_account.core.clients import ClientInfo

Channel = Literal["email", "sms"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message: its kind, its recipient and what its text needs.

    Attributes:
        kind: which template, such as "magic-session".
        channel: "email" or "sms".
        recipient: the address or number.
        name: the person's, for the greeting; may be empty.
        locale: the language it is written in.
        expires_at: when what it carries stops working; there is no point in sending it later.
        link, code: the secret it carries.
        phrase: the security phrase.
        client: who asked for it.
        country: where they are, by name; empty when unknown.
        requested_at: when they asked.
    """

    kind: str
    channel: Channel
    recipient: str
    expires_at: datetime
    name: str = ""
    locale: str = "en"
    link: str = field(default="", repr=False)
    code: str = field(default="", repr=False)
    phrase: str = ""
    client: ClientInfo = field(default_factory=ClientInfo)
    country: str = ""
    requested_at: datetime = field(default_factory=timezone.now)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values; :meth:`from_dict` reads them back."""
        return {
            **asdict(self),
            "expires_at": self.expires_at.isoformat(),
            "requested_at": self.requested_at.isoformat(),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Message:
        """The message of :meth:`as_dict`."""
        return cls(
            **{
                **values,
                "expires_at": datetime.fromisoformat(values["expires_at"]),
                "requested_at": datetime.fromisoformat(values["requested_at"]),
                "client": ClientInfo(**values["client"]),
            }
        )

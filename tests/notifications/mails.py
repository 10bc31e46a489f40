"""Messages of every kind, as the site sends them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from django_account.core.clients import ClientInfo
from django_account.core.messages import Message

# How long what they carry works.
LINKS = {
    "verification": timedelta(days=7),
    "magic-session": timedelta(hours=1),
    "recovery": timedelta(hours=1),
}
CODES = dict.fromkeys(
    ["verification-otp", "otp-session", "recovery-otp", "mfa-challenge"], timedelta(minutes=15)
)
KINDS = [*LINKS, *CODES, "mfa-removed", "session-alert"]

LINK = (
    "https://shop.example.com/in?next=%2Fhome&userId=6630c1a5b2f4e07d91ac"
    f"&secret={'0a1b2c3d4e5f6789' * 4}&expire=2026-03-04T05%3A12%3A00.000%2B00%3A00&project=demo"
)
CODE = "402913"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
)


def message(kind: str = "otp-session", **values: Any) -> Message:
    """A message to Ada from an iPhone, with other values where given."""
    asked_at: datetime = values.get("requested_at") or timezone.now()
    lifetime = LINKS.get(kind) or CODES.get(kind) or timedelta(days=1)
    given: dict[str, Any] = {
        "kind": kind,
        "channel": "email",
        "recipient": "ada@example.org",
        "name": "Ada",
        "expires_at": asked_at + lifetime,
        "client": ClientInfo("203.0.113.9", IPHONE),
        "link": LINK if kind in LINKS else "",
        "code": CODE if kind in CODES else "",
        **values,
    }
    return Message(**given)

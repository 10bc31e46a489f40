"""What was sent: the link or code in the last mail or SMS."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from django.core import mail

from django_account.notifications import sms

URL = "http://localhost:3000/welcome?next=%2Fcart#top"


def mailed_code() -> str:
    """The code in the last mail, which is one run of six digits."""
    (code,) = re.findall(r"\b\d{6}\b", str(mail.outbox[-1].body))
    return str(code)


def mailed_link() -> str:
    """The link in the last mail."""
    text = str(mail.outbox[-1].body)
    (link,) = set(re.findall(r"(?:https?|exp|appwrite-callback-\w+)://\S+", text))
    return str(link)


def mailed_secret() -> str:
    """The secret in the link of the last mail."""
    return secret_in(mailed_link())


def texted_code() -> str:
    """The code in the last SMS."""
    return str(re.findall(r"\b\d{6}\b", sms.outbox[-1].body)[-1])


def secret_in(link: str) -> str:
    """The secret in a link's query."""
    return parse_qs(urlsplit(link).query)["secret"][0]

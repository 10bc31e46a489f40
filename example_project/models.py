"""The development inbox: what the site sent, so that nobody needs a mail server to try it."""

from __future__ import annotations

import re
from typing import Any

from django.db import models

# How many messages are kept.
CAPACITY = 50

_LINK = re.compile(r"https?://[^\s<>\"]+")
_CODE = re.compile(r"(?<!\w)[0-9]{6}(?!\w)")


class MessageQuerySet(models.QuerySet["Message"]):
    def keep(self, **fields: Any) -> None:
        """Store a message, and let the oldest ones go."""
        newest = self.create(**fields)
        self.filter(pk__lte=newest.pk - CAPACITY).delete()


class Message(models.Model):
    """An e-mail or SMS that the site sent while DEBUG was on."""

    class Channel(models.TextChoices):
        EMAIL = "email"
        SMS = "sms"

    channel = models.CharField(max_length=5, choices=Channel.choices)
    recipient = models.TextField()
    subject = models.TextField(blank=True)
    text = models.TextField()
    html = models.TextField(blank=True)
    sent_at = models.DateTimeField(auto_now_add=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.channel} to {self.recipient}"

    @property
    def links(self) -> list[str]:
        """The links in the text."""
        return _LINK.findall(self.text)

    @property
    def codes(self) -> list[str]:
        """The codes of six digits in the text."""
        return _CODE.findall(_LINK.sub("", self.text))

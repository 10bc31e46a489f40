"""SMS on the console, for development."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from typing import Any, ClassVar

from django_account.notifications.sms.base import BaseSMSBackend, SMSMessage

_lock = threading.Lock()


class SMSBackend(BaseSMSBackend):
    """Writes messages to standard output.

    Options:
        stream: a file object to write to instead.
    """

    defaults: ClassVar[Mapping[str, Any]] = {"stream": None}

    def deliver(self, message: SMSMessage) -> None:
        """Write the message, whole, however many threads write at once."""
        stream = self.options["stream"] or sys.stdout
        with _lock:
            stream.write(f"SMS to {message.to}\n{message.body}\n{'-' * 79}\n")
            stream.flush()

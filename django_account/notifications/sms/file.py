"""SMS in a file, for development and end-to-end tests."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import ClassVar

from django_account.notifications.sms.base import BaseSMSBackend, SMSMessage


class SMSBackend(BaseSMSBackend):
    """Appends messages to a file, one JSON object a line: ``{"to": "+1…", "body": "…"}``.

    Options:
        path: the file. It and its folders are made, readable by their owner alone.
    """

    required: ClassVar[tuple[str, ...]] = ("path",)

    def deliver(self, message: SMSMessage) -> None:
        """Append the message by one write, so that lines of several processes never mix.

        Raises:
            SMSError: the file cannot be written; retryable.
        """
        # Escaped to ASCII: no character of a message can be taken for the end of the line.
        line = json.dumps({"to": message.to, "body": message.body}).encode() + b"\n"
        path = Path(self.options["path"])
        failure = ""
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                if os.write(file, line) != len(line):
                    failure = "disk full"
            finally:
                os.close(file)
        except OSError as error:
            failure = type(error).__name__
        if failure:
            raise self.error(message, f"cannot write, {failure}", retryable=True)

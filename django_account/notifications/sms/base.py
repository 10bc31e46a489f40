"""What an SMS is, what can go wrong, and the two classes that backends extend.

Sending is two halves: how to reach a gateway (``BaseHTTPBackend``, with ``transport.py``) and how
a message becomes its parameters (``build_request``, ``verdict``: a gateway's own file).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, ClassVar, Final, Self
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from django_account.notifications.sms import transport

# The alphabet of a plain SMS (3GPP TS 23.038), its extension table included.
GSM_ALPHABET = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€\f"
)

# A gateway's verdict on a message that it took.
TAKEN: Final = object()

# What may be quoted of an answer: a name, or a number too short to be a code or a phone number.
_ERROR_CODE = re.compile(r"(?=.{1,40}\Z)[A-Za-z_-]*[0-9]{0,5}")

_VISIBLE = re.compile(r"[!-~]+")

# Ask again later; every other 4xx would be the same again.
_RETRYABLE_STATUSES = (408, 429)


class SMSError(Exception):
    """An SMS was not sent.

    Its text names the backend, what happened and the masked number; never the message, which
    holds a code, nor a credential.

    Attributes:
        retryable: whether the same message may get through later.
    """

    def __init__(self, text: str, *, retryable: bool = False) -> None:
        super().__init__(text)
        self.retryable = retryable


class SMSRefused(SMSError):
    """The guard against SMS pumping did not let a message through.

    Attributes:
        reason: the setting that refused it, ``"SMS_ALLOWED_PREFIXES"``, ``"SMS_DAILY_LIMIT"`` or
            ``"SMS_DAILY_LIMIT_PER_NUMBER"``.
    """

    def __init__(self, number: str, reason: str) -> None:
        super().__init__(f"{reason} refused an SMS to {mask_number(number)}")
        self.reason = reason


def mask_number(number: str) -> str:
    """A phone number as it may be logged: ``+49…23``."""
    return f"{number[:3]}…{number[-2:]}" if len(number) > 7 else "…"


def _is_plain_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        named = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        return False
    return bool(named) and "@" not in parts.netloc and _VISIBLE.fullmatch(url) is not None


@dataclass(frozen=True, repr=False)
class SMSMessage:
    """One SMS.

    Attributes:
        to: the number in E.164, ``+15551234567``.
        body: the text.
        code: the code in the text, for gateways that send templates registered with them and take
            the variable part alone. They get the whole text where it is empty.
    """

    to: str
    body: str
    code: str = ""

    def __repr__(self) -> str:
        return f"<SMSMessage to {mask_number(self.to)}>"

    @property
    def digits(self) -> str:
        """The number without its plus sign, as many gateways want it."""
        return self.to.removeprefix("+")

    @property
    def is_gsm(self) -> bool:
        """Whether a plain SMS can hold the text; otherwise it needs Unicode."""
        return GSM_ALPHABET.issuperset(self.body)


class BaseSMSBackend:
    """A way to send SMS. Extend it, implement ``deliver``, name the class in ``SMS_BACKEND``.

    Attributes:
        required: the options it cannot do without.
        defaults: its other options, and what they are where the site sets none.
    """

    required: ClassVar[tuple[str, ...]] = ()
    defaults: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, **options: Any) -> None:
        """Take the site's ``SMS_OPTIONS``.

        Raises:
            ImproperlyConfigured: an option is missing or unknown.
        """
        path = f"{type(self).__module__}.{type(self).__qualname__}"
        known = (*self.required, *self.defaults)
        if unknown := [name for name in options if name not in known]:
            raise ImproperlyConfigured(
                f'DJANGO_ACCOUNT["SMS_OPTIONS"] has {", ".join(map(repr, unknown))}, which {path} '
                f"does not know. Its options are: {', '.join(known) or 'none'}."
            )
        for name in self.required:
            if options.get(name) in (None, ""):
                raise ImproperlyConfigured(
                    f'Set DJANGO_ACCOUNT["SMS_OPTIONS"]["{name}"], which {path} needs.'
                )
        self.options: Mapping[str, Any] = {**self.defaults, **options}

    @property
    def name(self) -> str:
        """What errors call this backend: its module's name."""
        return type(self).__module__.rpartition(".")[2]

    def open(self) -> bool | None:
        """Open a connection, where the backend keeps one.

        Returns:
            True if it opened one, False if one was open, None if it keeps none.
        """
        return None

    def close(self) -> None:
        """Close the connection that ``open`` opened."""

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def send_messages(self, messages: Iterable[SMSMessage]) -> int:
        """Send messages, one after another.

        Returns:
            how many were sent.

        Raises:
            SMSError: one was not; those after it were not tried.
        """
        sent = 0
        for message in messages:
            self.deliver(message)
            sent += 1
        return sent

    def deliver(self, message: SMSMessage) -> None:
        """Send one message.

        Raises:
            SMSError: it was not sent.
        """
        raise NotImplementedError("An SMS backend implements deliver().")

    def error(self, message: SMSMessage, what: str, *, retryable: bool = False) -> SMSError:
        """The error to raise when ``message`` could not be sent.

        Args:
            message: the message; only its masked number is told.
            what: what happened, in words that are the backend's own.
            retryable: whether the same message may get through later.
        """
        text = f"{self.name}: {what} (SMS to {mask_number(message.to)})"
        return SMSError(text, retryable=retryable)


class BaseHTTPBackend(BaseSMSBackend):
    """A gateway that takes a message by one HTTP call.

    A gateway's file extends it with ``build_request`` and ``verdict``.

    Options:
        endpoint: where the gateway is, scheme and host; each gateway's file has its own.
        timeout: seconds for connecting, and again for the answer.

    Attributes:
        retryable_codes: the gateway's error codes that may pass.
    """

    defaults: ClassVar[Mapping[str, Any]] = {"endpoint": "", "timeout": 10}
    retryable_codes: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, **options: Any) -> None:
        """Take the site's ``SMS_OPTIONS``.

        Raises:
            ImproperlyConfigured: an option is missing, unknown, or no http(s) URL or number where
                it must be one.
        """
        super().__init__(**options)
        self.endpoint = str(self.options["endpoint"]).rstrip("/")
        if not _is_plain_url(self.endpoint):
            raise ImproperlyConfigured(
                'DJANGO_ACCOUNT["SMS_OPTIONS"]["endpoint"] must be an http or https URL, without '
                "user name and password."
            )
        try:
            self.timeout = float(self.options["timeout"])
        except (TypeError, ValueError):
            self.timeout = 0
        if not 0 < self.timeout < 600:
            raise ImproperlyConfigured(
                'DJANGO_ACCOUNT["SMS_OPTIONS"]["timeout"] must be seconds, above 0 and below 600.'
            )

    def build_request(self, message: SMSMessage) -> transport.Request:
        """What to post so that the gateway sends ``message``.

        Raises:
            SMSError: the gateway cannot send this message at all.
        """
        raise NotImplementedError("A gateway implements build_request().")

    def verdict(self, answer: Any) -> object:
        """Read from the gateway's answer whether it took the message, whatever the HTTP status.

        Args:
            answer: the JSON that came back, of any type; None where it was no JSON.

        Returns:
            ``TAKEN`` if the gateway took the message, otherwise its error code, None without one.

        Raises:
            LookupError, TypeError, ValueError, AttributeError: this is no answer of the gateway's.
                So an implementation just indexes what the documentation promises.
        """
        raise NotImplementedError("A gateway implements verdict().")

    def deliver(self, message: SMSMessage) -> None:
        """Send one message by one call.

        Raises:
            SMSError: the gateway was not reached (retryable), or did not take it. After a time-out
                nobody knows; a second try may send the message twice.
        """
        request = self.build_request(message)
        failure = ""
        try:
            answer = transport.post(request, timeout=self.timeout)
        except transport.NoAnswer as error:
            failure = str(error)
        if failure:
            raise self.error(message, f"no answer, {failure}", retryable=True)
        self.check_response(answer, message)

    def check_response(self, answer: transport.Answer, message: SMSMessage) -> None:
        """Decide whether the gateway took the message.

        Raises:
            SMSError: it did not. Time-outs, rate limits and 5xx are retryable, and the gateway's
                ``retryable_codes``.
        """
        verdict: object = None
        understood = True
        try:
            verdict = self.verdict(answer.json())
        except (LookupError, TypeError, ValueError, AttributeError):
            understood = False
        said = f", code {verdict}" if self._is_quotable(verdict) else ""
        passing = str(verdict) in self.retryable_codes
        if not 200 <= answer.status < 300:
            passing = passing or answer.status in _RETRYABLE_STATUSES or answer.status >= 500
            raise self.error(message, f"HTTP {answer.status}{said}", retryable=passing)
        if not understood:
            raise self.error(message, "an answer that is not the gateway's")
        if verdict is not TAKEN:
            raise self.error(message, f"refused{said}", retryable=passing)

    def _is_quotable(self, code: object) -> bool:
        """Whether a gateway's code may stand in an error: a gateway may echo what it was sent."""
        text = str(code)
        secret = text in map(str, self.options.values())
        return code is not None and not secret and _ERROR_CODE.fullmatch(text) is not None

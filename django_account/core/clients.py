"""What a session remembers about the client that made it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

# Here and not where it is used: its YAML parser (yaml_rs 0.1.6) crashes the process now and then
# when a thread imports it that ends before another one parses.
from device_detector import DeviceDetector

# The column upstream holds this much; browsers send under 300.
MAX_USER_AGENT = 16_384

# What the parser reads of it: enough for every real client, and a bound on hostile ones.
PARSED_USER_AGENT = 512

UNKNOWN_USER_AGENT = "UNKNOWN"

_DESKTOP_FAMILIES = {"Windows", "Mac", "GNU/Linux", "Chrome OS", "Unix", "BSD"}
_NOT_A_DESKTOP = ("xbox", "tv", "touch", "tablet", "mobile", "phone", "console", "playstation")


@dataclass(frozen=True, slots=True)
class ClientDetails:
    """A user agent, taken apart. Codes are Matomo's, as upstream's; unknown parts are empty."""

    os_code: str = ""
    os_name: str = ""
    os_version: str = ""
    client_type: str = ""
    client_code: str = ""
    client_name: str = ""
    client_version: str = ""
    client_engine: str = ""
    client_engine_version: str = ""
    device_name: str = ""
    device_brand: str = ""
    device_model: str = ""

    # dataclasses.asdict() and astuple() copy deeply, which strings have no need of.

    def as_dict(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in self.__slots__}

    def as_list(self) -> list[str]:
        """The values alone, in order; ``ClientDetails(*values)`` reads them back."""
        return [getattr(self, name) for name in self.__slots__]


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """Who is on the other end of a request, as plain values.

    Attributes:
        ip: the client's address; empty when unknown.
        user_agent: the raw header.
        locale: the language they want messages in; empty for the site's own.
    """

    ip: str = ""
    user_agent: str = UNKNOWN_USER_AGENT
    locale: str = field(default="", repr=False)

    @property
    def details(self) -> ClientDetails:
        # Without runs of blanks, over which some of the parser's expressions take their time.
        return parse_user_agent(" ".join(self.user_agent.split())[:PARSED_USER_AGENT])


@lru_cache(maxsize=1024)
def parse_user_agent(user_agent: str) -> ClientDetails:
    """Take a user agent apart with device-detector, the parser that upstream uses.

    The parser compiles thousands of expressions to tell phones apart, seconds of work in a fresh
    process. A desktop browser or a library needs none of them, so they are asked only for the rest.
    """
    if "AppwriteCLI" in user_agent:
        return ClientDetails(client_type="desktop", client_code="cli", client_name="Appwrite CLI")
    if user_agent == UNKNOWN_USER_AGENT:
        return ClientDetails()
    found = _detect(user_agent, skip_device_detection=True)
    os, client = found.get("os", {}), found.get("client", {})
    lowered = user_agent.lower()
    is_desktop = os.get("family") in _DESKTOP_FAMILIES and not any(
        word in lowered for word in _NOT_A_DESKTOP
    )
    if is_desktop:
        apple = os.get("family") == "Mac" and client.get("type") == "browser"
        device = {"type": "desktop", "brand": "Apple" if apple else "", "model": ""}
    elif client.get("type") == "library" or not found:
        device = {}
    else:
        device = _detect(user_agent, skip_device_detection=False).get("device", {})
    engine = client.get("engine") or ""
    return ClientDetails(
        os_code=_text(os.get("short_name")),
        os_name=_text(os.get("name")),
        os_version=_text(os.get("version")),
        client_type=_text(client.get("type")),
        client_code=_text(client.get("short_name")),
        client_name=_text(client.get("name")),
        client_version=_major_minor(_text(client.get("version"))),
        client_engine=_text(engine.get("default") if isinstance(engine, dict) else engine),
        # Blink's version is the browser's own; 1.9.6 leaves it out.
        client_engine_version=(
            "" if engine == "Blink" else _major_minor(_text(client.get("engine_version")))
        ),
        device_name=_text(device.get("type")),
        device_brand=_text(device.get("brand")),
        device_model=_text(device.get("model")),
    )


def _detect(user_agent: str, *, skip_device_detection: bool) -> dict[str, Any]:
    # Its own cache hands one half-parsed object to several threads; ours holds finished results.
    detector = DeviceDetector(
        user_agent,
        skip_bot_detection=True,
        skip_device_detection=skip_device_detection,
        check_cache=False,
    )
    return dict(detector.parse().all_details)


def _text(value: object) -> str:
    """The parser answers with strings, string enums, or nothing."""
    return "" if value is None else str(getattr(value, "value", value))


def _major_minor(version: str) -> str:
    return ".".join(version.split(".")[:2])

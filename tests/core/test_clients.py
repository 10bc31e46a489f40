"""User agents, taken apart into Matomo's vocabulary (core.md §3.4 and §14, users.md §9)."""

from __future__ import annotations

import dataclasses
import gc
import json
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from django_account.core.clients import (
    PARSED_USER_AGENT,
    UNKNOWN_USER_AGENT,
    ClientDetails,
    ClientInfo,
    parse_user_agent,
)

NOTHING = ClientDetails()

CHROME_70 = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/70.0.3538.110 Safari/537.36"
)
EDGE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/120.0.0.0 Safari/537.36 Edg/120.0.2210.91"
)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.2 Mobile/15E148 Safari/604.1"
)
IPAD = (
    "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1"
)
PIXEL = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 7) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/120.0.6099.144 Mobile Safari/537.36"
)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0"
MAC_SAFARI = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.2 Safari/605.1.15"
)
PYTHON_SDK = "AppwritePythonSDK/27.0.0 (Linux; 5.15.0-91-generic; x86_64)"
NODE_SDK = "AppwriteNodeJSSDK/27.1.0 (linux; x64) Node.js/20.11.0"


def details(user_agent: str) -> ClientDetails:
    return ClientInfo(user_agent=user_agent).details


class TestBrowsers:
    def test_windows_10_chrome_70(self) -> None:
        assert details(CHROME_70) == ClientDetails(
            os_code="WIN",
            os_name="Windows",
            os_version="10",
            client_type="browser",
            client_code="CH",
            client_name="Chrome",
            client_version="70.0",
            client_engine="Blink",
            client_engine_version="",
            device_name="desktop",
            device_brand="",
            device_model="",
        )

    @pytest.mark.parametrize(
        ("user_agent", "os", "client", "device"),
        [
            (EDGE, ("WIN", "Windows", "10"), ("PS", "Microsoft Edge", "120.0"), ("desktop", "")),
            (
                IPHONE,
                ("IOS", "iOS", "17.2"),
                ("MF", "Mobile Safari", "17.2"),
                ("smartphone", "iPhone"),
            ),
            (IPAD, ("IPA", "iPadOS", "16.6"), ("MF", "Mobile Safari", "16.6"), ("tablet", "iPad")),
            (
                PIXEL,
                ("AND", "Android", "14"),
                ("CM", "Chrome Mobile", "120.0"),
                ("smartphone", "Pixel 7"),
            ),
            (FIREFOX, ("LIN", "GNU/Linux", ""), ("FF", "Firefox", "121.0"), ("desktop", "")),
            (MAC_SAFARI, ("MAC", "Mac", "10.15.7"), ("SF", "Safari", "17.2"), ("desktop", "")),
        ],
        ids=["Edge", "iPhone", "iPad", "Android", "Firefox on Linux", "Safari on a Mac"],
    )
    def test_vocabulary(
        self,
        user_agent: str,
        os: tuple[str, str, str],
        client: tuple[str, str, str],
        device: tuple[str, str],
    ) -> None:
        found = details(user_agent)
        assert (found.os_code, found.os_name, found.os_version) == os
        assert found.client_type == "browser"
        assert (found.client_code, found.client_name, found.client_version) == client
        assert (found.device_name, found.device_model) == device

    @pytest.mark.parametrize(
        ("user_agent", "engine", "brand"),
        [
            (CHROME_70, "Blink", ""),
            (PIXEL, "Blink", "Google"),
            (IPHONE, "WebKit", "Apple"),
            (FIREFOX, "Gecko", ""),
        ],
    )
    def test_engine_and_brand(self, user_agent: str, engine: str, brand: str) -> None:
        found = details(user_agent)
        assert (found.client_engine, found.device_brand) == (engine, brand)


class TestOtherClients:
    @pytest.mark.parametrize(
        ("user_agent", "name"),
        [(PYTHON_SDK, "AppwritePythonSDK"), (NODE_SDK, "AppwriteNodeJSSDK")],
    )
    def test_server_sdk_is_no_browser(self, user_agent: str, name: str) -> None:
        found = details(user_agent)
        assert found.client_name == name
        assert found.client_type != "browser"
        assert (found.os_code, found.os_name) == ("LIN", "GNU/Linux")
        assert found.device_model == ""

    def test_appwrite_cli(self) -> None:
        assert details("AppwriteCLI/6.0.0 (linux)") == ClientDetails(
            client_type="desktop", client_code="cli", client_name="Appwrite CLI"
        )

    def test_library(self) -> None:
        found = details("python-requests/2.31.0")
        assert (found.client_type, found.client_version) == ("library", "2.31")
        assert found.device_name == ""

    @pytest.mark.parametrize("user_agent", [UNKNOWN_USER_AGENT, "", " ", "\t", "-", "0"])
    def test_nothing_to_go_by(self, user_agent: str) -> None:
        found = details(user_agent)
        assert (found.os_code, found.os_name, found.client_code) == ("", "", "")
        assert found.device_name == ""


class TestHostileUserAgents:
    def test_twenty_kilobytes_of_junk(self) -> None:
        junk = random.Random(7)
        user_agent = "".join(chr(junk.randrange(32, 0x2FF)) for _ in range(20_000))
        assert details(user_agent).os_code == ""

    def test_only_the_beginning_is_read(self) -> None:
        assert details(FIREFOX + " -" * PARSED_USER_AGENT + "iPhone" * 3000) == details(FIREFOX)

    @pytest.mark.parametrize(
        "repeated",
        ["(Linux; Android ", " ", "SM-", "TECNO ", "Redmi ", "en-us; ", "Build/", "1.", "a/"],
    )
    def test_none_takes_long(self, repeated: str) -> None:
        """What is repeated are the words that the parser's expressions begin with."""
        user_agent = f"Mozilla/5.0 (Linux; Android 9; {repeated * 1000})"
        # Compiles the expressions, which happens once a process.
        details(user_agent)
        parse_user_agent.cache_clear()
        started = time.process_time()
        details(user_agent)
        assert time.process_time() - started < 0.5

    def test_ten_thousand_take_bounded_memory(self) -> None:
        def look_at(numbers: range) -> float:
            """Parse so many; the megabytes that the process holds then."""
            for number in numbers:
                if number % 20:
                    # As much memory as one can take, and quickly seen to be nothing.
                    details(f"{number}" + "\u0416" * 500)
                else:
                    details(CHROME_70.replace("70.0", str(number)))
            gc.collect()
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            return pages * resource.getpagesize() / 2**20

        before = look_at(range(2000))
        assert look_at(range(2000, 10_000)) - before < 4
        assert parse_user_agent.cache_info().currsize <= 1024

    @pytest.mark.parametrize(
        "user_agent",
        [
            "Mozilla/5.0 " + "(Linux; Android " * 1_300,
            "Chrome/" + "9" * 20_000,
            "a/" * 10_000,
            "\u202e\ud7ff\U0001f600" * 5_000,
            "'\"><script>alert(1)</script>",
            "%s%n{0}{self}",
        ],
        ids=["nested", "digits", "slashes", "unicode", "markup", "formats"],
    )
    def test_every_part_stays_short_text(self, user_agent: str) -> None:
        parts = details(user_agent).as_dict()
        assert all(isinstance(part, str) and len(part) <= 512 for part in parts.values())
        json.dumps(parts).encode()


class TestClientInfo:
    def test_is_unknown_by_default(self) -> None:
        client = ClientInfo()
        assert (client.ip, client.user_agent, client.details) == ("", "UNKNOWN", NOTHING)

    def test_is_a_value(self) -> None:
        assert ClientInfo("::1", "x") == ClientInfo("::1", "x")
        with pytest.raises(dataclasses.FrozenInstanceError):
            ClientInfo().ip = "::1"  # type: ignore[misc]

    def test_details_as_a_list_are_read_back(self) -> None:
        assert ClientDetails(*details(PIXEL).as_list()) == details(PIXEL)

    def test_details_as_dict_has_every_field(self) -> None:
        names = [field.name for field in dataclasses.fields(ClientDetails)]
        assert list(details(PIXEL).as_dict()) == names
        assert len(names) == 12


def test_the_parser_is_there_before_any_thread_asks() -> None:
    """A server that starts a thread for each connection died of its second request."""
    code = "import sys, django_account.core.clients; sys.exit('device_detector' not in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

"""The running site, the SDKs, and people who use them."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live.people import Person, Sdk
from tests.live.sdks import SDKS, Bridge, Client, JavaScriptClient, PythonClient
from tests.live.server import HERE, OpenIdProvider, Pages, Server
from tests.live.window import Window

NPM_OPTIONS = [
    "--no-package-lock",
    "--ignore-scripts",
    "--prefer-offline",
    "--no-audit",
    "--no-fund",
    # Without a network it would try for minutes.
    "--fetch-retry-mintimeout=1000",
    "--fetch-retry-maxtimeout=5000",
]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The example site under gunicorn."""
    server = Server(tmp_path_factory.mktemp("live"))
    with server.running():
        yield server


@pytest.fixture(scope="session")
def api_key(server: Server) -> str:
    """A key that may create sessions."""
    output = server.manage("createapikey", "--name", "live", "--scopes", "sessions.write")
    return output.splitlines()[-1]


@pytest.fixture(scope="session")
def full_key(server: Server) -> str:
    """A key that may do everything."""
    scopes = ["users.read", "users.write", "sessions.read", "sessions.write"]
    output = server.manage("createapikey", "--name", "full", "--scopes", *scopes)
    return output.splitlines()[-1]


@pytest.fixture(scope="session")
def packages(missing: Callable[[str], None]) -> Path:
    """Where the npm packages of package.json are installed."""
    if not shutil.which("node") or not shutil.which("npm"):
        missing("npm")
    directory = HERE / ".cache"
    directory.mkdir(exist_ok=True)
    # Parallel test processes share the directory.
    with (directory / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not installed(directory):
            shutil.copy(HERE / "package.json", directory)
            done = subprocess.run(["npm", "install", *NPM_OPTIONS], cwd=directory, check=False)
            if done.returncode:
                missing("npm's registry")
    return directory


def installed(directory: Path) -> bool:
    """Whether exactly the wanted versions are there."""
    wanted = json.loads((HERE / "package.json").read_text())["dependencies"]
    for name, version in wanted.items():
        found = directory / "node_modules" / name / "package.json"
        if not found.exists() or json.loads(found.read_text())["version"] != version:
            return False
    return True


@pytest.fixture(scope="session")
def bridge(packages: Path) -> Iterator[Bridge]:
    """The JavaScript SDKs."""
    bridge = Bridge(packages, {**os.environ, "CHROMIUM": chromium() or ""})
    yield bridge
    bridge.close()


@pytest.fixture(scope="session")
def openid_provider(packages: Path, server: Server) -> Iterator[OpenIdProvider]:
    """A provider at which people sign in to the running site."""
    provider = OpenIdProvider(packages, server)
    with provider.running():
        yield provider


def chromium() -> str | None:
    """The browser's path; None where there is none."""
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return next(filter(None, found), None)


@pytest.fixture(scope="session")
def browser_packages(packages: Path, missing: Callable[[str], None]) -> Path:
    """Where the npm packages are, with a browser for them to drive."""
    if chromium() is None:
        missing("Chromium")
    return packages


@pytest.fixture(scope="module")
def window(browser_packages: Path) -> Iterator[Window]:
    """The browser, without a window."""
    environment = {**os.environ, "CHROMIUM": chromium() or ""}
    bridge = Bridge(browser_packages, environment, "window.mjs")
    yield Window(bridge)
    bridge.close()


@pytest.fixture(scope="session")
def pages(packages: Path, missing: Callable[[str], None]) -> Iterator[Pages]:
    """Web pages with the Web SDK, at all origins that a test asks for."""
    if chromium() is None:
        missing("Chromium")
    pages = Pages(packages)
    with pages.running():
        yield pages


@pytest.fixture(params=SDKS)
def sdk(request: pytest.FixtureRequest, server: Server, api_key: str) -> Iterator[Sdk]:
    """Each SDK in turn: a test with this fixture is a row of the table of SDK methods."""
    clients: list[Client] = []
    kind, _, form = request.param.partition("-")

    def open_client() -> Client:
        client: Client
        if kind == "python":
            client = PythonClient(server.endpoint())
        elif kind == "chromium":
            origin = request.getfixturevalue("pages").origin("127.0.0.1")
            bridge = request.getfixturevalue("bridge")
            client = JavaScriptClient(bridge, kind, server.endpoint("localhost"), origin=origin)
        else:
            bridge = request.getfixturevalue("bridge")
            client = JavaScriptClient(
                bridge, kind, server.endpoint(), positional=form == "positional"
            )
        clients.append(client)
        return client

    yield Sdk(request.param, open_client, api_key)
    for client in clients:
        client.close()


@pytest.fixture
def ada(sdk: Sdk) -> Person:
    """Ada, signed up and signed in."""
    return sdk.sign_in(sdk.sign_up(name="Ada"))

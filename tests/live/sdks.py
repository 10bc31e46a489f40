"""The official SDKs under one interface, so that each test is written once for all of them."""

from __future__ import annotations

import json
import re
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest
from appwrite.client import Client as AppwriteClient
from appwrite.exception import AppwriteException
from appwrite.id import ID
from appwrite.models.base_model import AppwriteModel
from appwrite.services.account import Account
from appwrite.services.users import Users

from tests.live.server import PROJECT

HERE = Path(__file__).resolve().parent
ANSWER_TIMEOUT = 120

SDKS = ["python", "web", "node", "chromium"]
POSITIONAL = ["web-positional", "node-positional"]


def sdks(*names: str) -> pytest.MarkDecorator:
    """Run a test with these SDKs, where a method is not in all of them."""
    return pytest.mark.parametrize("sdk", names, indirect=True)


# TypeScript methods with parameters take one object, or (deprecated) one argument each.
in_both_forms = sdks(*SDKS, *POSITIONAL)

# The Python and Node.js SDKs run on servers: they have API keys, and keep no cookies.
server_sdks = sdks("python", "node")


class SdkError(Exception):
    """The exception that an SDK throws for an error of the API."""

    def __init__(self, message: str, code: int, type: str | None) -> None:
        super().__init__(f"{code} {type}: {message}")
        self.code = code
        self.type = type


class FetchFailed(Exception):
    """The browser kept the API's answer from the page."""


@contextmanager
def refused(code: int, type: str) -> Iterator[None]:
    """Check that the SDK throws its exception with this code and type."""
    with pytest.raises(SdkError) as caught:
        yield
    assert (caught.value.code, caught.value.type) == (code, type), caught.value


class Client(Protocol):
    """A client object of an SDK with its ``Account`` service."""

    def call(self, method: str, **params: Any) -> Any:
        """Call a method of ``Account``, by the name it has in TypeScript.

        Args:
            params: by their names on the wire, in the SDK's order.

        Returns:
            The document as on the wire. Answers without JSON are ``{"message": text}``.

        Raises:
            SdkError: the SDK threw its exception.
        """

    def users(self, method: str, **params: Any) -> Any:
        """Call a method of ``Users``, as :meth:`call` does; only SDKs of servers have it."""

    def user_methods(self) -> set[str]:
        """The methods that ``Users`` has, by the names that :func:`named` gives."""

    def set(self, setter: str, value: str) -> None:
        """Configure the client: ``set("setSession", secret)``."""

    def add_header(self, name: str, value: str) -> None:
        """Send a header with each request from now on; only SDKs of servers."""

    def ping(self) -> Any:
        """Call ``client.ping()``."""

    def unique_id(self) -> str:
        """What ``ID.unique()`` gives."""

    def close(self) -> None:
        """Let go of what the client holds."""


def snake_case(name: str) -> str:
    """The Python name of a TypeScript one."""
    words = re.sub(r"MFA(?=[A-Z])", "Mfa", name)
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=O)(?=Auth)", "_", words).lower()


def named(method: str, client: Client) -> str:
    """The name that a client's SDK has for a method of ``Users``."""
    if not isinstance(client, PythonClient):
        return method
    # Python's generator splits names of hashes in its own way.
    return snake_case(re.sub(r"(?<=[0-9A-Z])User", "_user", method.replace("PHPass", "PhPass")))


class PythonClient:
    """The Python SDK."""

    def __init__(self, endpoint: str) -> None:
        self.client = AppwriteClient().set_endpoint(endpoint).set_project(PROJECT)
        self.account = Account(self.client)
        self.people = Users(self.client)

    def call(self, method: str, **params: Any) -> Any:
        return self._call(self.account, snake_case(method), params)

    def users(self, method: str, **params: Any) -> Any:
        return self._call(self.people, named(method, self), params)

    def user_methods(self) -> set[str]:
        return {name for name in vars(Users) if not name.startswith("_")}

    def _call(self, service: Any, method: str, params: dict[str, Any]) -> Any:
        given = {snake_case(name): value for name, value in params.items()}
        try:
            answer = getattr(service, method)(**given)
        except AppwriteException as error:
            raise SdkError(error.message, error.code, error.type) from error
        if isinstance(answer, bytes):
            return {"message": answer.decode()}
        if isinstance(answer, str):
            # An address to go to.
            return answer
        assert isinstance(answer, AppwriteModel)
        return answer.model_dump(by_alias=True, mode="json")

    def set(self, setter: str, value: str) -> None:
        getattr(self.client, snake_case(setter))(value)

    def add_header(self, name: str, value: str) -> None:
        self.client.add_header(name, value)

    def ping(self) -> Any:
        raise NotImplementedError("the Python SDK has no ping")

    def unique_id(self) -> str:
        return ID.unique()

    def close(self) -> None:
        pass


class Bridge:
    """A Node.js process that calls the JavaScript SDKs.

    Args:
        packages: where they are installed.
        script: what it runs, when that is another one with the same kind of lines.
    """

    def __init__(
        self, packages: Path, environment: dict[str, str], script: str = "bridge.mjs"
    ) -> None:
        self.script = script
        self.process = subprocess.Popen(
            ["node", str(HERE / script)],
            cwd=packages,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def ask(self, **request: Any) -> Any:
        """Send a request of the script; the value that it answers.

        Raises:
            SdkError: the SDK threw its exception.
            FetchFailed: the browser's fetch failed.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        readable, _, _ = select.select([self.process.stdout], [], [], ANSWER_TIMEOUT)
        line = self.process.stdout.readline() if readable else ""
        assert line, f"{self.script} did not answer {request}"
        answer = json.loads(line)
        assert "broken" not in answer, answer["broken"]
        if error := answer.get("error"):
            if error["name"] == "AppwriteException":
                raise SdkError(error["message"], error["code"], error["type"])
            assert error["name"] == "TypeError", error
            raise FetchFailed(error["message"])
        return answer["value"]

    def close(self) -> None:
        """End the process, and with it the browser."""
        try:
            self.process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()


class JavaScriptClient:
    """The Web or Node.js SDK in Node.js, or the Web SDK in a page in Chromium.

    Args:
        kind: ``"web"``, ``"node"`` or ``"chromium"``.
        positional: whether parameters are passed one by one, rather than as one object.
        origin: where the page is, in Chromium.
    """

    def __init__(
        self,
        bridge: Bridge,
        kind: str,
        endpoint: str,
        *,
        positional: bool = False,
        origin: str | None = None,
    ) -> None:
        self.bridge = bridge
        self.positional = positional
        self.number = bridge.ask(
            op="open", kind=kind, endpoint=endpoint, project=PROJECT, origin=origin
        )

    def _ask(self, op: str, **request: Any) -> Any:
        return self.bridge.ask(op=op, client=self.number, **request)

    def call(self, method: str, **params: Any) -> Any:
        as_object = [params] if params else []
        args = list(params.values()) if self.positional else as_object
        return self._ask("call", target="account", method=method, args=args)

    def users(self, method: str, **params: Any) -> Any:
        return self._ask("call", target="users", method=method, args=[params] if params else [])

    def set(self, setter: str, value: str) -> None:
        self._ask("call", target="client", method=setter, args=[value])

    def add_header(self, name: str, value: str) -> None:
        self._ask("call", target="client", method="addHeader", args=[name, value])

    def user_methods(self) -> set[str]:
        return set(self._ask("userMethods"))

    def ping(self) -> Any:
        return self._ask("call", target="client", method="ping", args=[])

    def unique_id(self) -> str:
        return self._ask("call", target="ID", method="unique", args=[])

    def query(self, method: str, *args: Any) -> str:
        """What ``Query.limit(5)`` and its like give."""
        return self._ask("call", target="Query", method=method, args=list(args))

    def close(self) -> None:
        self._ask("close")

    # --- in Chromium only ---

    def visit(self, origin: str) -> None:
        """Go to the page at another origin, with the same cookies."""
        self._ask("visit", origin=origin)

    def evaluate(self, script: str) -> Any:
        """Run a script in the page; its value."""
        return self._ask("evaluate", script=script)

    def leave(self, script: str) -> None:
        """Run a script that leads the page away."""
        self._ask("leave", script=script)

    def consent(self, login: str, *, landing: str) -> str:
        """Log in at the OpenID provider and consent; the address where the browser lands."""
        return str(self._ask("consent", login=login, landing=landing))

    def decline(self, *, landing: str) -> str:
        """Cancel at the OpenID provider; the address where the browser lands."""
        return str(self._ask("decline", landing=landing))

    def go(self, url: str, *, landing: str) -> str:
        """Go to an address as a link does; the address where the browser lands."""
        return str(self._ask("go", url=url, landing=landing))

    def cookie_names(self) -> set[str]:
        """The cookies that the browser keeps, for whatever site."""
        return set(self._ask("cookies"))

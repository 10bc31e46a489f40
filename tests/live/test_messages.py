"""Links and codes from end to end: an SDK asks, a message comes, an SDK redeems what is in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.client import PASSWORD
from tests.live.people import Person, Sdk, fresh_email
from tests.live.sdks import Client, refused, sdks
from tests.live.server import PROJECT, Server
from tests.live.sink import Files, MailSink

pytestmark = pytest.mark.live

URL = "https://shop.example.com/in?next=%2Fhome#top"
ANOTHER_PASSWORD = "battery staple"

everywhere = sdks("python", "web", "node")


@dataclass
class Post:
    """Where messages arrive."""

    mail: MailSink
    texts: Files


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    """A mail server, and a file for SMS."""
    mail = MailSink()
    with mail.running():
        yield Post(mail, Files(tmp_path_factory.mktemp("post")))


@pytest.fixture(scope="module")
def server(post: Post, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The example site, which sends there."""
    server = Server(tmp_path_factory.mktemp("messages"))
    server.environment |= {**post.texts.environment, "EMAIL_URL": post.mail.url}
    with server.running():
        yield server


@pytest.fixture(scope="module")
def api_key(server: Server) -> str:
    """A key of this site that may create sessions."""
    output = server.manage("createapikey", "--name", "live", "--scopes", "sessions.write")
    return output.splitlines()[-1]


def fresh_phone() -> str:
    """A number that nobody has."""
    return f"+1415{uuid4().int % 10**7:07d}"


def call(client: Client, sdk: Sdk, method: str, **params: Any) -> Any:
    """Call a method; Python spells an initialism as a word."""
    return client.call(method.replace("URL", "Url") if sdk.name == "python" else method, **params)


def sign_in(sdk: Sdk, method: str, token: dict[str, Any], secret: str) -> Person:
    """Redeem a secret for a session, the way the SDK's apps do."""
    client = sdk.with_key() if sdk.runs_on_a_server else sdk.client()
    session = call(client, sdk, method, userId=token["userId"], secret=secret)
    if sdk.runs_on_a_server:
        client = sdk.with_session(session["secret"])
    else:
        assert session["secret"] == ""
    return Person(client, session=session)


@everywhere
class TestMagicURL:
    @pytest.mark.parametrize("redeem", ["createSession", "updateMagicURLSession"])
    def test_signs_in(self, sdk: Sdk, post: Post, redeem: str) -> None:
        email = fresh_email()
        token = call(
            sdk.client(), sdk, "createMagicURLToken", userId="unique()", email=email, url=URL
        )
        assert token["secret"] == ""
        message = post.mail.to(email)
        person = sign_in(sdk, redeem, token, message.secret)
        account = person.call("get")
        assert (account["email"], account["emailVerification"]) == (email, True)
        assert person.session["provider"] == "magic-url"
        with refused(401, "user_invalid_token"):
            sign_in(sdk, redeem, token, message.secret)

    def test_link(self, sdk: Sdk, post: Post) -> None:
        email = fresh_email()
        token = call(
            sdk.client(), sdk, "createMagicURLToken", userId="unique()", email=email, url=URL
        )
        message = post.mail.to(email)
        assert message.link.startswith("https://shop.example.com/in?next=")
        assert message.link.endswith("#top")
        given = dict(message.query)
        assert len(given.pop("secret")) == 64
        assert given == {
            "next": "/home",
            "userId": token["userId"],
            "expire": token["expire"],
            "project": PROJECT,
        }
        assert message.link in unescape(message.html)

    def test_phrase(self, sdk: Sdk, post: Post) -> None:
        email = fresh_email()
        params = {"userId": "unique()", "email": email, "url": URL, "phrase": True}
        token = call(sdk.client(), sdk, "createMagicURLToken", **params)
        message = post.mail.to(email)
        assert len(token["phrase"].split()) == 2
        assert token["phrase"] in message.text
        assert token["phrase"] in unescape(message.html)

    def test_without_a_url(self, sdk: Sdk, post: Post, server: Server) -> None:
        """The link leads to the site's own page, and opening it uses nothing up."""
        email = fresh_email()
        token = call(sdk.client(), sdk, "createMagicURLToken", userId="unique()", email=email)
        message = post.mail.to(email)
        assert message.link.startswith(f"http://127.0.0.1:{server.port}/")
        for _ in range(2):
            assert requests.get(message.link, timeout=60).status_code == 200
        person = sign_in(sdk, "createSession", token, message.secret)
        assert person.call("get")["email"] == email

    def test_somebody_who_has_an_account(self, sdk: Sdk, post: Post) -> None:
        person = sdk.sign_up()
        params = {"userId": "unique()", "email": person.email, "url": URL}
        token = call(sdk.client(), sdk, "createMagicURLToken", **params)
        assert token["userId"] == person.account["$id"]
        signed_in = sign_in(sdk, "createSession", token, post.mail.to(person.email).secret)
        assert signed_in.call("get")["$id"] == person.account["$id"]

    def test_foreign_url(self, sdk: Sdk) -> None:
        with refused(400, "general_argument_invalid"):
            call(
                sdk.client(),
                sdk,
                "createMagicURLToken",
                userId="unique()",
                email=fresh_email(),
                url="https://evil.test/in",
            )


@everywhere
class TestEmailCode:
    def test_signs_in(self, sdk: Sdk, post: Post) -> None:
        email = fresh_email()
        client = sdk.client()
        token = client.call("createEmailToken", userId=client.unique_id(), email=email)
        message = post.mail.to(email)
        person = sign_in(sdk, "createSession", token, message.code)
        account = person.call("get")
        assert (account["email"], account["emailVerification"]) == (email, True)
        with refused(401, "user_invalid_token"):
            sign_in(sdk, "createSession", token, message.code)

    def test_phrase(self, sdk: Sdk, post: Post) -> None:
        email = fresh_email()
        params = {"userId": "unique()", "email": email, "phrase": True}
        token = sdk.client().call("createEmailToken", **params)
        assert token["phrase"]
        assert token["phrase"] in post.mail.to(email).text

    def test_wrong_code(self, sdk: Sdk, post: Post) -> None:
        email = fresh_email()
        token = sdk.client().call("createEmailToken", userId="unique()", email=email)
        wrong = f"{(int(post.mail.to(email).code) + 1) % 1_000_000:06d}"
        with refused(401, "user_invalid_token"):
            sign_in(sdk, "createSession", token, wrong)

    def test_language(self, sdk: Sdk, post: Post) -> None:
        subjects = []
        for language in ("en", "de"):
            email = fresh_email()
            client = sdk.client()
            client.set("setLocale", language)
            client.call("createEmailToken", userId="unique()", email=email)
            message = post.mail.to(email)
            assert f'lang="{language}"' in message.html
            subjects.append(message.subject)
        assert subjects[0] != subjects[1]


@everywhere
class TestPhoneCode:
    @pytest.mark.parametrize("redeem", ["createSession", "updatePhoneSession"])
    def test_signs_in(self, sdk: Sdk, post: Post, redeem: str) -> None:
        phone = fresh_phone()
        token = sdk.client().call("createPhoneToken", userId="unique()", phone=phone)
        assert token["secret"] == ""
        code = post.texts.to(phone).code
        person = sign_in(sdk, redeem, token, code)
        account = person.call("get")
        assert (account["phone"], account["phoneVerification"]) == (phone, True)
        assert person.session["provider"] == "phone"
        with refused(401, "user_invalid_token"):
            sign_in(sdk, redeem, token, code)


@sdks("python", "node")
def test_servers_see_the_secret(sdk: Sdk, post: Post) -> None:
    """With an API key the answer has it, as the message does."""
    email = fresh_email()
    token = sdk.with_key().call("createEmailToken", userId="unique()", email=email)
    assert token["secret"] == post.mail.to(email).code
    sign_in(sdk, "createSession", token, token["secret"])


@everywhere
class TestRecovery:
    def test_sets_a_new_password(self, sdk: Sdk, post: Post) -> None:
        person = sdk.sign_up()
        token = sdk.client().call("createRecovery", email=person.email, url=URL)
        message = post.mail.to(person.email)
        assert message.query["userId"] == token["userId"] == person.account["$id"]
        body = {**chosen(message.query), "password": ANOTHER_PASSWORD}
        sdk.client().call("updateRecovery", **body)
        with refused(401, "user_invalid_credentials"):
            sdk.sign_in(person)
        person.password = ANOTHER_PASSWORD
        assert sdk.sign_in(person).call("get")["emailVerification"] is True
        with refused(401, "user_invalid_token"):
            sdk.client().call("updateRecovery", **body)

    def test_nobody(self, sdk: Sdk) -> None:
        with refused(404, "user_not_found"):
            sdk.client().call("createRecovery", email=fresh_email(), url=URL)


def chosen(query: dict[str, str]) -> dict[str, str]:
    """What an app takes from the link that it was opened with."""
    return {name: query[name] for name in ("userId", "secret")}


@everywhere
class TestEmailVerification:
    @pytest.mark.parametrize("name", ["EmailVerification", "Verification"])
    def test_verifies(self, sdk: Sdk, ada: Person, post: Post, name: str) -> None:
        """Under its name, and under its old one; opened at another device, without a session."""
        ada.call(f"create{name}", url=URL)
        query = chosen(post.mail.to(ada.email).query)
        assert ada.call("get")["emailVerification"] is False
        sdk.client().call(f"update{name}", **query)
        assert ada.call("get")["emailVerification"] is True
        with refused(401, "user_invalid_token"):
            sdk.client().call(f"update{name}", **query)

    def test_address_that_has_been_left(self, sdk: Sdk, ada: Person, post: Post) -> None:
        ada.call("createEmailVerification", url=URL)
        query = chosen(post.mail.to(ada.email).query)
        ada.call("updateEmail", email=fresh_email(), password=PASSWORD)
        with refused(401, "user_invalid_token"):
            sdk.client().call("updateEmailVerification", **query)


@everywhere
class TestPhoneVerification:
    def test_verifies(self, sdk: Sdk, ada: Person, post: Post) -> None:
        phone = fresh_phone()
        ada.call("updatePhone", phone=phone, password=PASSWORD)
        token = ada.call("createPhoneVerification")
        code = post.texts.to(phone).code
        ada.call("updatePhoneVerification", userId=token["userId"], secret=code)
        assert ada.call("get")["phoneVerification"] is True
        with refused(401, "user_invalid_token"):
            ada.call("updatePhoneVerification", userId=token["userId"], secret=code)


@sdks("python")
class TestCodesOfThePythonSdk:
    """The methods that only the newest Python SDK has."""

    def test_recovery(self, sdk: Sdk, post: Post) -> None:
        person = sdk.sign_up()
        token = sdk.client().call("createRecoveryOtp", email=person.email, phrase=True)
        message = post.mail.to(person.email)
        assert token["phrase"]
        assert token["phrase"] in message.text
        body = {"userId": token["userId"], "secret": message.code, "password": ANOTHER_PASSWORD}
        sdk.client().call("updateRecoveryOtp", **body)
        person.password = ANOTHER_PASSWORD
        sdk.sign_in(person)
        with refused(401, "user_invalid_token"):
            sdk.client().call("updateRecoveryOtp", **body)

    def test_verification(self, sdk: Sdk, ada: Person, post: Post) -> None:
        token = ada.call("createEmailVerificationOtp", phrase=True)
        message = post.mail.to(ada.email)
        assert token["phrase"]
        assert token["phrase"] in message.text
        body = {"userId": token["userId"], "secret": message.code}
        sdk.client().call("updateEmailVerificationOtp", **body)
        assert ada.call("get")["emailVerification"] is True
        with refused(401, "user_invalid_token"):
            sdk.client().call("updateEmailVerificationOtp", **body)

"""The Users service of the official Python and Node.js SDKs: every method of both.

Each test names the methods that it shows, and is held to calling them with success; the last but
few compares what all of them show with the SDKs' classes, so that a method of a newer SDK fails.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pyotp
import pytest

from tests.accounts.vectors import VECTORS
from tests.client import PASSWORD
from tests.live.people import Sdk, fresh_email
from tests.live.sdks import Client, named, refused, sdks, server_sdks
from tests.live.server import Server

pytestmark = pytest.mark.live


# Which methods the tests show, by SDK.
SHOWN: dict[str, set[str]] = {"python": set(), "node": set()}

# What newer servers than the contract's have.
NOT_OURS = {"list_passkeys", "get_passkey", "update_passkey", "delete_passkey"}


def shows(*methods: str, by: tuple[str, ...] = ("python", "node")) -> Callable[[Any], Any]:
    """Have a test show these methods of these SDKs."""
    for name in by:
        SHOWN[name].update(methods)

    def mark(test: Any) -> Any:
        test.shown = set(methods)
        return sdks(*by)(test)

    return mark


@pytest.fixture
def site(request: pytest.FixtureRequest, sdk: Sdk, full_key: str) -> Iterator[Client]:
    """A server that may do everything; in the end it has done what the test says it shows."""
    client = sdk.client()
    client.set("setKey", full_key)
    users, done = client.users, set()

    def noted(method: str, **params: Any) -> Any:
        answer = users(method, **params)
        done.add(method)
        return answer

    client.users = noted  # type: ignore[method-assign]
    yield client
    assert getattr(request.function, "shown", set()) <= done


def fresh_user(site: Client, **params: Any) -> dict[str, Any]:
    return site.users("create", userId=site.unique_id(), **params)


class TestUsers:
    @shows("create", "get", "list", "delete")
    def test_create_get_list_delete(self, site: Client) -> None:
        email = fresh_email()
        user = fresh_user(site, email=email, password=PASSWORD, name="Eve")
        assert (user["email"], user["name"], user["hash"]) == (email, "Eve", "argon2")
        assert user["password"].startswith("$argon2id$")
        assert site.users("get", userId=user["$id"])["$id"] == user["$id"]
        query = json.dumps({"method": "equal", "attribute": "email", "values": [email]})
        found = site.users("list", queries=[query])
        assert (found["total"], found["users"][0]["$id"]) == (1, user["$id"])
        assert site.users("list", search=email.partition("@")[0])["total"] == 1
        assert site.users("list", queries=[query], total=False)["total"] == 0
        site.users("delete", userId=user["$id"])
        with refused(404, "user_not_found"):
            site.users("get", userId=user["$id"])

    @shows(
        *("updateName", "updateEmail", "updatePhone", "updatePassword", "updateStatus"),
        *("updateLabels", "updateEmailVerification", "updatePhoneVerification"),
        *("updateImpersonator", "updateMFA", "updatePrefs", "getPrefs", "listMemberships"),
    )
    def test_updates(self, site: Client) -> None:
        email = fresh_email()
        user_id, phone = fresh_user(site)["$id"], f"+1415{uuid4().int % 10**7:07}"
        for method, params, changed in (
            ("updateName", {"name": "Eva"}, {"name": "Eva"}),
            ("updateEmail", {"email": email}, {"email": email}),
            ("updateStatus", {"status": False}, {"status": False}),
            ("updateLabels", {"labels": ["vip"]}, {"labels": ["vip"]}),
            ("updateEmailVerification", {"emailVerification": True}, {"emailVerification": True}),
            ("updatePhoneVerification", {"phoneVerification": True}, {"phoneVerification": True}),
            ("updateImpersonator", {"impersonator": True}, {"impersonator": True}),
            ("updateMFA", {"mfa": True}, {"mfa": True}),
            ("updatePhone", {"number": phone}, {"phone": phone}),
            ("updatePhone", {"number": ""}, {"phone": ""}),
        ):
            assert site.users(method, userId=user_id, **params).items() >= changed.items()
        assert site.users("updatePassword", userId=user_id, password=PASSWORD)["hash"] == "argon2"
        prefs = site.users("updatePrefs", userId=user_id, prefs={"theme": "dark"})
        # The Python SDK wraps them.
        assert prefs.get("data", prefs) == {"theme": "dark"}
        prefs = site.users("getPrefs", userId=user_id)
        assert prefs.get("data", prefs) == {"theme": "dark"}
        memberships = site.users("listMemberships", userId=user_id)
        assert (memberships["total"], memberships["memberships"]) == (0, [])

    @shows(
        *("createSession", "listSessions", "deleteSession", "deleteSessions"),
        *("createJWT", "createToken"),
    )
    def test_sessions_tokens_and_jwts(self, site: Client, sdk: Sdk) -> None:
        user_id = fresh_user(site, email=fresh_email())["$id"]
        session = site.users("createSession", userId=user_id)
        person = sdk.with_session(session["secret"])
        assert person.call("get")["$id"] == user_id
        assert site.users("listSessions", userId=user_id)["total"] == 1
        jwt = site.users("createJWT", userId=user_id)["jwt"]
        by_jwt = sdk.client()
        by_jwt.set("setJWT", jwt)
        assert by_jwt.call("get")["$id"] == user_id
        site.users("deleteSession", userId=user_id, sessionId=session["$id"])
        with refused(401, "general_unauthorized_scope"):
            person.call("get")
        token = site.users("createToken", userId=user_id, length=32)
        signed_in = sdk.with_key().call("createSession", userId=user_id, secret=token["secret"])
        assert signed_in["provider"] == "token"
        site.users("deleteSessions", userId=user_id)
        assert site.users("listSessions", userId=user_id)["total"] == 0

    @shows("createTarget", "listTargets", "getTarget", "updateTarget", "deleteTarget")
    def test_targets(self, site: Client) -> None:
        user_id = fresh_user(site)["$id"]
        target = site.users(
            "createTarget",
            userId=user_id,
            targetId=site.unique_id(),
            providerType="push",
            identifier=fresh_email(),
        )
        named = {"userId": user_id, "targetId": target["$id"]}
        assert site.users("listTargets", userId=user_id)["targets"] == [target]
        assert site.users("getTarget", **named) == target
        assert site.users("updateTarget", **named, name="Phone")["name"] == "Phone"
        site.users("deleteTarget", **named)
        with refused(404, "user_target_not_found"):
            site.users("getTarget", **named)

    FACTOR_METHODS = [
        *("listMFAFactors", "deleteMFAAuthenticator"),
        *("createMFARecoveryCodes", "getMFARecoveryCodes", "updateMFARecoveryCodes"),
    ]

    def second_factors(self, site: Client, sdk: Sdk, spelling: str = "MFA") -> None:
        person = sdk.sign_in(sdk.sign_up())
        user_id = person.account["$id"]

        def users(method: str, **params: Any) -> Any:
            return site.users(method.replace("MFA", spelling), userId=user_id, **params)

        assert users("updateMFA", mfa=False)["mfa"] is False
        assert set(users("listMFAFactors").values()) == {False}
        codes = users("createMFARecoveryCodes")
        assert len(codes["recoveryCodes"]) == 6
        assert users("getMFARecoveryCodes") == codes
        assert users("updateMFARecoveryCodes") != codes
        with refused(404, "user_authenticator_not_found"):
            users("deleteMFAAuthenticator", type="totp")
        secret = person.call("createMFAAuthenticator", type="totp")["secret"]
        person.call("updateMFAAuthenticator", type="totp", otp=pyotp.TOTP(secret).now())
        assert users("listMFAFactors")["totp"] is True
        users("deleteMFAAuthenticator", type="totp")
        assert users("listMFAFactors")["totp"] is False

    @shows(*FACTOR_METHODS)
    def test_second_factors(self, site: Client, sdk: Sdk) -> None:
        self.second_factors(site, sdk)

    @shows("updateMfa", *(name.replace("MFA", "Mfa") for name in FACTOR_METHODS), by=("node",))
    def test_second_factors_by_their_old_names(self, site: Client, sdk: Sdk) -> None:
        self.second_factors(site, sdk, "Mfa")

    IMPORTS = {
        "argon2id": "createArgon2User",
        "bcrypt 2a": "createBcryptUser",
        "md5": "createMD5User",
        "phpass": "createPHPassUser",
        "sha3-256": "createSHAUser",
        "scrypt": "createScryptUser",
        "scryptMod": "createScryptModifiedUser",
    }
    PARAMETERS = {
        "version": "passwordVersion",
        "salt": "passwordSalt",
        "costCpu": "passwordCpu",
        "costMemory": "passwordMemory",
        "costParallel": "passwordParallel",
        "length": "passwordLength",
        "saltSeparator": "passwordSaltSeparator",
        "signerKey": "passwordSignerKey",
    }

    @shows(*IMPORTS.values())
    def test_every_kind_of_hash_signs_in_and_is_renewed(self, site: Client, sdk: Sdk) -> None:
        for name, method in self.IMPORTS.items():
            vector, email = VECTORS[name], fresh_email()
            user = site.users(
                method,
                userId=site.unique_id(),
                email=email,
                password=vector.hashed,
                **{self.PARAMETERS[key]: value for key, value in vector.options.items()},
            )
            assert (user["hash"], user["password"]) == (vector.kind, vector.hashed)
            if len(vector.password) < 8:
                continue
            for _ in range(2):
                sdk.with_key().call(
                    "createEmailPasswordSession", email=email, password=vector.password
                )
                user = site.users("get", userId=user["$id"])
                assert user["hash"] == "argon2"
                assert user["password"].startswith("$argon2id$")

    @server_sdks
    def test_without_the_scope(self, sdk: Sdk) -> None:
        for client in (sdk.with_key(), sdk.client()):
            with refused(401, "general_unauthorized_scope"):
                client.users("list")


# What a sign-in by a provider and a custom factor leave behind for the person of an id.
_LEFT_BEHIND = """
from datetime import timedelta
from django.utils import timezone
from django_account.accounts.models import Account
from django_account.identities.models import Identity
from django_account.mfa.models import Challenge
from django_account.sessions.provider_tokens import ProviderTokens
account = Account.objects.get(public_id={user_id!r})
identity = Identity(account=account, provider="github", provider_uid={user_id!r})
identity.provider_tokens = ProviderTokens("access", "refresh", timezone.now())
identity.save()
challenge = Challenge(
    account=account, factor="custom", expires_at=timezone.now() + timedelta(minutes=5)
)
challenge.set_code("123456", readable=True)
challenge.save()
print(identity.public_id, challenge.public_id)
"""


def left_behind(server: Server, user_id: str) -> list[str]:
    """The ids of an identity and a challenge that somebody has."""
    return server.manage("shell", "-c", _LEFT_BEHIND.format(user_id=user_id)).split()[-2:]


@shows("listIdentities", "deleteIdentity")
def test_identities(site: Client, server: Server) -> None:
    user_id = fresh_user(site)["$id"]
    identity_id, _ = left_behind(server, user_id)
    query = json.dumps({"method": "equal", "attribute": "userId", "values": [user_id]})
    [identity] = site.users("listIdentities", queries=[query])["identities"]
    assert (identity["$id"], identity["userId"]) == (identity_id, user_id)
    assert (identity["provider"], identity["providerAccessToken"]) == ("github", "access")
    with refused(400, "general_query_invalid"):
        site.users("listIdentities", search="github")
    site.users("deleteIdentity", identityId=identity_id)
    assert site.users("listIdentities", queries=[query])["total"] == 0
    with refused(404, "user_identity_not_found"):
        site.users("deleteIdentity", identityId=identity_id)


@shows("getMFAChallenge", by=("python",))
def test_challenges(site: Client, server: Server) -> None:
    user_id = fresh_user(site)["$id"]
    _, challenge_id = left_behind(server, user_id)
    challenge = site.users("getMFAChallenge", userId=user_id, challengeId=challenge_id)
    assert (challenge["$id"], challenge["userId"]) == (challenge_id, user_id)
    assert challenge["code"] == "123456"
    with refused(401, "user_invalid_token"):
        site.users("getMFAChallenge", userId=user_id, challengeId="unknown")


@shows("listLogs", by=("node",))
def test_list_logs(site: Client) -> None:
    user_id = fresh_user(site)["$id"]
    site.users("updateName", userId=user_id, name="Eva")
    logs = site.users("listLogs", userId=user_id)
    assert [entry["event"] for entry in logs["logs"]] == ["user.update", "user.create"]
    assert logs["logs"][0]["userType"] == "keyProject"


@server_sdks
def test_every_method_is_shown(sdk: Sdk) -> None:
    client = sdk.client()
    shown = {named(method, client) for method in SHOWN[sdk.name]}
    assert shown == client.user_methods() - NOT_OURS


@sdks("python")
def test_passkeys_are_no_route(site: Client) -> None:
    """Of the SDK's newest methods, which its server has and the contract's does not."""
    with refused(404, "general_route_not_found"):
        site.users("listPasskeys", userId="nobody")


@server_sdks
def test_server_rendering_recipe(sdk: Sdk, full_key: str) -> None:
    """The key creates the session; its secret acts for the person; the session is the visitor's."""
    person = sdk.sign_up()
    admin = sdk.with_key()
    admin.set(
        "setForwardedUserAgent",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/17.0 Safari/605.1.15",
    )
    session = admin.call("createEmailPasswordSession", email=person.email, password=PASSWORD)
    assert (session["clientName"], session["osName"]) == ("Safari", "Mac")
    visitor = sdk.with_session(session["secret"])
    assert visitor.call("get")["email"] == person.email
    visitor.call("deleteSession", sessionId="current")
    with refused(401, "general_unauthorized_scope"):
        visitor.call("get")


@pytest.fixture(scope="module")
def limiting_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A site that limits the visitors whom servers forward."""
    limits = {"RATE_LIMITS_ENABLED": True, "LIMIT_VISITORS": True}
    server = Server(tmp_path_factory.mktemp("limits"), **limits)
    with server.running():
        yield server


@server_sdks
def test_server_rendering_counts_each_visitor(sdk: Sdk, limiting_server: Server) -> None:
    """Whom one visitor's guesses lock out is that visitor."""
    scopes = ["users.write", "sessions.write"]
    printed = limiting_server.manage("createapikey", "--name", "ssr", "--scopes", *scopes)

    def server_for(address: str | None) -> Client:
        client = sdk.client()
        client.set("setEndpoint", limiting_server.endpoint())
        client.set("setKey", printed.splitlines()[-1])
        if address:
            client.add_header("X-Forwarded-For", address)
        return client

    # Each SDK brings its own visitors: the counters are the site's.
    guesser, other = (f"203.0.113.{number + 10 * (sdk.name == 'node')}" for number in (1, 2))
    email = fresh_email()
    person = fresh_user(server_for(None), email=email, password=PASSWORD)
    for _ in range(10):
        with refused(401, "user_invalid_token"):
            server_for(guesser).call("createSession", userId=person["$id"], secret="guessed")
    with refused(429, "general_rate_limit_exceeded"):
        server_for(guesser).call("createSession", userId=person["$id"], secret="guessed")
    token = server_for(other).users("createToken", userId=person["$id"])
    session = server_for(other).call("createSession", userId=person["$id"], secret=token["secret"])
    assert session["ip"] == other
    visitor = sdk.with_session(session["secret"])
    visitor.set("setEndpoint", limiting_server.endpoint())
    assert visitor.call("get")["email"] == email
    # Without a visitor's address, the server itself is not limited.
    with refused(401, "user_invalid_token"):
        server_for(None).call("createSession", userId=person["$id"], secret="guessed")


@server_sdks
def test_impersonation(site: Client, sdk: Sdk) -> None:
    email = fresh_email()
    other = fresh_user(site, email=email)["$id"]
    staff = fresh_user(site)["$id"]
    site.users("updateImpersonator", userId=staff, impersonator=True)
    session = site.users("createSession", userId=staff)
    for setter, value in (("setImpersonateUserId", other), ("setImpersonateUserEmail", email)):
        client = sdk.with_session(session["secret"])
        client.set(setter, value)
        account = client.call("get")
        assert (account["$id"], account["impersonatorUserId"]) == (other, staff)

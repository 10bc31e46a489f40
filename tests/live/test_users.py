"""The Users service of the official Python and Node.js SDKs: every method that we answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.accounts.vectors import VECTORS
from tests.client import PASSWORD
from tests.live.people import Sdk, fresh_email
from tests.live.sdks import Client, refused, sdks, server_sdks
from tests.live.server import Server

pytestmark = pytest.mark.live


def with_full_key(sdk: Sdk, key: str) -> Client:
    client = sdk.client()
    client.set("setKey", key)
    return client


def fresh_user(site: Client, **params: Any) -> dict[str, Any]:
    return site.users("create", userId=site.unique_id(), **params)


@server_sdks
class TestUsers:
    def test_create_get_list_delete(self, sdk: Sdk, full_key: str) -> None:
        site, email = with_full_key(sdk, full_key), fresh_email()
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

    def test_updates(self, sdk: Sdk, full_key: str) -> None:
        site, email = with_full_key(sdk, full_key), fresh_email()
        user_id = fresh_user(site)["$id"]
        for method, params, changed in (
            ("updateName", {"name": "Eva"}, {"name": "Eva"}),
            ("updateEmail", {"email": email}, {"email": email}),
            ("updateStatus", {"status": False}, {"status": False}),
            ("updateLabels", {"labels": ["vip"]}, {"labels": ["vip"]}),
            ("updateEmailVerification", {"emailVerification": True}, {"emailVerification": True}),
            ("updatePhoneVerification", {"phoneVerification": True}, {"phoneVerification": True}),
            ("updateImpersonator", {"impersonator": True}, {"impersonator": True}),
            ("updateMFA", {"mfa": True}, {"mfa": True}),
            ("updatePhone", {"number": ""}, {"phone": ""}),
        ):
            assert site.users(method, userId=user_id, **params).items() >= changed.items()
        assert site.users("updatePassword", userId=user_id, password=PASSWORD)["hash"] == "argon2"
        prefs = site.users("updatePrefs", userId=user_id, prefs={"theme": "dark"})
        # The Python SDK wraps them.
        assert prefs.get("data", prefs) == {"theme": "dark"}
        prefs = site.users("getPrefs", userId=user_id)
        assert prefs.get("data", prefs) == {"theme": "dark"}
        assert site.users("listMemberships", userId=user_id)["total"] == 0

    def test_sessions_tokens_and_jwts(self, sdk: Sdk, full_key: str) -> None:
        site = with_full_key(sdk, full_key)
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

    def test_targets(self, sdk: Sdk, full_key: str) -> None:
        site = with_full_key(sdk, full_key)
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

    def test_second_factors(self, sdk: Sdk, full_key: str) -> None:
        site = with_full_key(sdk, full_key)
        user_id = fresh_user(site)["$id"]
        assert set(site.users("listMFAFactors", userId=user_id).values()) == {False}
        codes = site.users("createMFARecoveryCodes", userId=user_id)
        assert len(codes["recoveryCodes"]) == 6
        assert site.users("getMFARecoveryCodes", userId=user_id) == codes
        assert site.users("updateMFARecoveryCodes", userId=user_id) != codes
        with refused(404, "user_authenticator_not_found"):
            site.users("deleteMFAAuthenticator", userId=user_id, type="totp")

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

    def test_every_kind_of_hash_signs_in_and_is_renewed(self, sdk: Sdk, full_key: str) -> None:
        site = with_full_key(sdk, full_key)
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


@server_sdks
def test_identities_and_challenges(sdk: Sdk, full_key: str, server: Server) -> None:
    """users.listIdentities, deleteIdentity; getMFAChallenge, which Node.js lacks"""
    site = with_full_key(sdk, full_key)
    user_id = fresh_user(site)["$id"]
    output = server.manage("shell", "-c", _LEFT_BEHIND.format(user_id=user_id))
    identity_id, challenge_id = output.split()[-2:]
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
    if sdk.name != "python":
        return
    named = {"userId": user_id, "challengeId": challenge_id}
    challenge = site.users("getMFAChallenge", **named)
    assert (challenge["$id"], challenge["userId"]) == (challenge_id, user_id)
    assert challenge["code"] == "123456"
    with refused(401, "user_invalid_token"):
        site.users("getMFAChallenge", **{**named, "challengeId": "unknown"})


@sdks("node")
def test_list_logs(sdk: Sdk, full_key: str) -> None:
    """users.listLogs, which Python's SDK lacks"""
    site = with_full_key(sdk, full_key)
    user_id = fresh_user(site)["$id"]
    site.users("updateName", userId=user_id, name="Eva")
    logs = site.users("listLogs", userId=user_id)
    assert [entry["event"] for entry in logs["logs"]] == ["user.update", "user.create"]
    assert logs["logs"][0]["userType"] == "keyProject"


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


@server_sdks
def test_impersonation(sdk: Sdk, full_key: str) -> None:
    site = with_full_key(sdk, full_key)
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

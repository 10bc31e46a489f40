"""Second factors through the SDKs, with a real generator of codes and the real clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pyotp
import pytest

from tests.client import PASSWORD
from tests.live.people import Person, Sdk
from tests.live.sdks import refused, sdks
from tests.live.server import Server
from tests.live.sink import Files, eventually

pytestmark = pytest.mark.live

everywhere = sdks("python", "web", "node", "chromium")

STEP = 30


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Where messages arrive."""
    return Files(tmp_path_factory.mktemp("mfa-messages"))


@pytest.fixture(scope="module")
def server(files: Files, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The example site, which writes its messages to files."""
    server = Server(tmp_path_factory.mktemp("mfa"))
    server.environment |= files.environment
    with server.running():
        yield server


@pytest.fixture(scope="module")
def api_key(server: Server) -> str:
    """A key of this site that may create sessions."""
    output = server.manage("createapikey", "--name", "live", "--scopes", "sessions.write")
    return output.splitlines()[-1]


class App:
    """An authenticator app. Each code is of a step that has not been shown before: the first of the
    step before, the next of the present one, and then of the one to come, all of which are taken.
    """

    def __init__(self, secret: str) -> None:
        self.totp = pyotp.TOTP(secret)
        self.shown = int(time.time()) // STEP - 2

    def code(self) -> str:
        self.shown += 1
        # The site takes the next step's code too; what is further ahead must be waited for.
        while self.shown > int(time.time()) // STEP + 1:
            time.sleep(0.2)
        return str(self.totp.generate_otp(self.shown))


def factor(sdk: Sdk, name: str) -> Any:
    """A factor as the SDK's own enumeration has it."""
    if sdk.name == "python":
        from appwrite.enums.authentication_factor import AuthenticationFactor

        return AuthenticationFactor[name.upper()]
    return name


def totp(sdk: Sdk) -> Any:
    """The type of an authenticator as the SDK's own enumeration has it."""
    if sdk.name == "python":
        from appwrite.enums.authenticator_type import AuthenticatorType

        return AuthenticatorType.TOTP
    return "totp"


def prove(person: Person, sdk: Sdk, name: str, otp: str) -> Any:
    """Create a challenge and answer it; the session."""
    challenge = person.call("createMFAChallenge", factor=factor(sdk, name))
    return person.call("updateMFAChallenge", challengeId=challenge["$id"], otp=otp)


@everywhere
def test_from_enrolment_to_the_end(sdk: Sdk) -> None:
    """Enrol, sign out, sign in, be refused, answer, recover, regenerate, disable, remove."""
    ada = sdk.sign_in(sdk.sign_up(name="Ada"))
    assert not any(ada.call("listMFAFactors").values())

    # Enrol.
    made = ada.call("createMFAAuthenticator", type=totp(sdk))
    assert made["uri"].startswith("otpauth://totp/demo%3A")
    app = App(made["secret"])
    with refused(401, "user_invalid_token"):
        ada.call("updateMFAAuthenticator", type=totp(sdk), otp="nonsense")
    user = ada.call("updateMFAAuthenticator", type=totp(sdk), otp=app.code())
    assert user["$id"] == ada.account["$id"]
    codes = ada.call("createMFARecoveryCodes")["recoveryCodes"]
    assert len(codes) == 6
    assert ada.call("updateMFA", mfa=True)["mfa"] is True
    assert ada.call("get")["mfa"] is True
    with refused(409, "user_authenticator_already_verified"):
        ada.call("createMFAAuthenticator", type=totp(sdk))

    # Sign out, and in: half.
    ada.call("deleteSession", sessionId="current")
    ada = sdk.sign_in(ada)
    assert ada.session["factors"] == ["password"]
    with refused(401, "user_more_factors_required"):
        ada.call("get")
    with refused(401, "user_more_factors_required"):
        ada.call("getMFARecoveryCodes")
    factors = ada.call("listMFAFactors")
    assert (factors["totp"], factors["recoveryCode"], factors["email"]) == (True, True, False)

    # The second factor.
    challenge = ada.call("createMFAChallenge", factor=factor(sdk, "totp"))
    assert challenge["userId"] == ada.account["$id"]
    with refused(401, "user_invalid_token"):
        ada.call("updateMFAChallenge", challengeId=challenge["$id"], otp="000000x")
    session = ada.call("updateMFAChallenge", challengeId=challenge["$id"], otp=app.code())
    assert session["$id"] == ada.session["$id"]
    assert session["factors"] == ["password", "totp"]
    assert session["mfaUpdatedAt"]
    assert session["secret"] == ""
    assert ada.call("get")["$id"] == ada.account["$id"]

    # The telephone is lost: recover with a code, once.
    ada.call("deleteSession", sessionId="current")
    ada = sdk.sign_in(ada)
    assert prove(ada, sdk, "recoverycode", codes[0])["factors"] == ["password", "recoveryCode"]
    assert ada.call("getMFARecoveryCodes")["recoveryCodes"] == codes[1:]
    with refused(401, "user_invalid_token"):
        prove(ada, sdk, "recoverycode", codes[0])

    # Regenerate.
    new = ada.call("updateMFARecoveryCodes")["recoveryCodes"]
    assert not set(new) & set(codes)
    with refused(401, "user_invalid_token"):
        prove(ada, sdk, "recoverycode", codes[1])

    # Disable, and remove.
    assert ada.call("updateMFA", mfa=False)["mfa"] is False
    ada.call("deleteMFAAuthenticator", type=totp(sdk))
    with refused(404, "user_authenticator_not_found"):
        ada.call("deleteMFAAuthenticator", type=totp(sdk))
    assert ada.call("listMFAFactors")["totp"] is False
    assert sdk.sign_in(ada).call("get")["mfa"] is False


@sdks("python", "web", "node")
@pytest.mark.parametrize("name", ["email", "phone"])
def test_by_message(sdk: Sdk, server: Server, files: Files, name: str) -> None:
    """Each address that is verified is a second factor."""
    ada = sdk.sign_in(sdk.sign_up(name="Ada"))
    if name == "email":
        address = ada.email
        token = ada.call("createEmailVerification", url="http://localhost/in")
        secret = files.to(address).query["secret"]
        ada.call("updateEmailVerification", userId=token["userId"], secret=secret)
    else:
        address = f"+1415{uuid4().int % 10**7:07d}"
        ada.call("updatePhone", phone=address, password=PASSWORD)
        token = ada.call("createPhoneVerification")
        secret = files.to(address).code
        ada.call("updatePhoneVerification", userId=token["userId"], secret=secret)
    earlier = files.all_to(address)
    ada.call("updateMFA", mfa=True)

    half = sdk.sign_in(ada)
    with refused(401, "user_more_factors_required"):
        half.call("get")
    challenge = half.call("createMFAChallenge", factor=factor(sdk, name))
    (message,) = eventually(lambda: [each for each in files.all_to(address) if each not in earlier])
    otp = message.code
    session = half.call("updateMFAChallenge", challengeId=challenge["$id"], otp=otp)
    assert session["factors"] == ["password", name]
    assert half.call("get")["$id"] == ada.account["$id"]
    with refused(501, "user_auth_method_unsupported"):
        half.call("createMFAChallenge", factor=factor(sdk, "custom"))


@sdks("web", "node")
def test_by_jwt(sdk: Sdk) -> None:
    """A JWT does what its session may, no more, and proves factors for it."""
    ada = sdk.sign_in(sdk.sign_up())
    codes = ada.call("createMFARecoveryCodes")["recoveryCodes"]
    client = sdk.client()
    client.set("setJWT", ada.call("createJWT")["jwt"])
    by_jwt = Person(client, account=ada.account)
    with refused(401, "user_challenge_required"):
        by_jwt.call("getMFARecoveryCodes")
    session = prove(by_jwt, sdk, "recoverycode", codes[0])
    assert session["$id"] == ada.session["$id"]
    assert by_jwt.call("getMFARecoveryCodes")["recoveryCodes"] == codes[1:]

"""Everything that people and servers can do so far, and the secrets that came up on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyotp
import pytest
from django.contrib.auth import get_user_model

from django_account.api_keys.services import create_api_key
from tests.client import ApiClient

NEW_PASSWORDS = [f"zebra {number} crossing; Übergang" for number in range(4)]
FIRST_PASSWORD = "quartz! lemon-Tree 42"
WRONG_PASSWORD = "marble$ Pelican 7788"
SITE_PASSWORD = "violet# umbrella 5566"
GUEST_PASSWORD = "copper% Giraffe 9911"


def run_flows() -> list[str]:
    """Walk through every endpoint, well and badly; the secrets used or given out."""
    secrets = [FIRST_PASSWORD, WRONG_PASSWORD, SITE_PASSWORD, GUEST_PASSWORD, *NEW_PASSWORDS]

    def keep(client: ApiClient) -> ApiClient:
        """Note a browser's credential."""
        from django_account.sessions.credentials import decode_credential

        credential = decode_credential(client.credential)
        assert credential is not None
        secrets.extend([client.credential, credential.secret])
        return client

    ada = ApiClient()
    ada.sign_up(password=FIRST_PASSWORD, name="Ada")
    for body in ({"password": WRONG_PASSWORD}, {"password": "short"}, {}):
        given = {"email": "ada@example.org", **body}
        assert ada.post("/account/sessions/email", given).status_code in {400, 401}
    ada.sign_in(password=FIRST_PASSWORD)
    keep(ada)

    # Servers see the secret of the session that they create.
    key = create_api_key(name="flows", scopes=["sessions.write"]).secret
    secrets.append(key)
    server = ApiClient(key=key)
    body = {"email": "ada@example.org", "password": FIRST_PASSWORD}
    seen = server.post("/account/sessions/email", body).json()["secret"]
    assert seen
    secrets.append(seen)
    by_header = ApiClient(session=seen)
    assert by_header.get("/account").status_code == 200
    assert by_header.delete("/account/sessions/current").status_code == 204

    jwt = ada.post("/account/jwts").json()["jwt"]
    secrets += [jwt, jwt.rpartition(".")[2]]
    assert ApiClient(jwt=jwt).get("/account").status_code == 200
    ApiClient(jwt=jwt[:-2]).get("/account")

    old = FIRST_PASSWORD
    for new in NEW_PASSWORDS:
        body = {"password": new, "oldPassword": WRONG_PASSWORD}
        assert ada.patch("/account/password", body).status_code == 401
        changed = ada.patch("/account/password", {"password": new, "oldPassword": old})
        assert changed.status_code == 200, changed.content
        old = new
    assert ada.patch("/account/prefs", {"prefs": {"theme": "dark"}}).status_code == 200
    assert ada.patch("/account/name", {"name": "Ada L"}).status_code == 200
    body = {"email": "grace@example.org", "password": old}
    assert ada.patch("/account/email", body).status_code == 200
    assert (
        ada.patch("/account/phone", {"phone": "+14155550100", "password": old}).status_code == 200
    )
    for method, path in [("PATCH", "current"), ("GET", "current"), ("DELETE", "nope")]:
        ada.call(method, f"/account/sessions/{path}")
    ada.get("/account/sessions")

    anonymous = ApiClient()
    assert anonymous.post("/account/sessions/anonymous").status_code == 201
    keep(anonymous)
    body = {"email": "guest@example.org", "password": GUEST_PASSWORD}
    assert anonymous.patch("/account/email", body).status_code == 200

    get_user_model().objects.create_user("eve", "eve@example.org", SITE_PASSWORD)
    eve = ApiClient()
    eve.sign_in("eve@example.org", SITE_PASSWORD)
    keep(eve)
    assert eve.patch("/account/status").status_code == 200

    secrets += second_factors(ada)

    # Secrets in the wrong place: in a query, a path, a form, a header of another kind.
    ada.get(f"/account/sessions/{old[:5]}?password={WRONG_PASSWORD}")
    form = f"email=grace@example.org&password={WRONG_PASSWORD}".encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    guest = ApiClient()
    assert guest.call("POST", "/account/sessions/email", form, **headers).status_code == 401
    guest.call("POST", "/account/sessions/email", b'{"password": "' + WRONG_PASSWORD.encode())
    ApiClient(headers={"X-Fallback-Cookies": seen}).get("/account")
    ApiClient(key=key[:-1]).get("/account")
    ApiClient(key=key, project="nope").get("/account")
    return list(dict.fromkeys(secrets))


def second_factors(client: ApiClient) -> list[str]:
    """Enrol, prove in every way, renew; the seed and the recovery codes that came up."""
    totp, codes = "/account/mfa/authenticators/totp", "/account/mfa/recovery-codes"
    replaced = client.post(totp).json()["secret"]
    seed = client.post(totp).json()["secret"]
    assert client.put(totp, {"otp": "000000x"}).status_code == 401
    assert client.put(totp, {"otp": pyotp.TOTP(seed).now()}).status_code == 200
    first = client.post(codes).json()["recoveryCodes"]
    assert client.patch("/account/mfa", {"mfa": True}).status_code == 200
    for factor, answer in (("totp", seed), ("recoverycode", first[0]), ("recoverycode", first[0])):
        asked = client.post("/account/mfa/challenges", {"factor": factor}).json()["$id"]
        client.put("/account/mfa/challenges", {"challengeId": asked, "otp": answer})
    assert client.get(codes).json()["recoveryCodes"] == first[1:]
    second = client.patch(codes).json()["recoveryCodes"]
    asked = client.post("/account/mfa/challenges", {"factor": "recoveryCode"}).json()["$id"]
    client.put("/account/mfa/challenges", {"challengeId": asked, "otp": second[5]})
    return [replaced, seed, *first, *second]


@pytest.fixture
def flows(db: None, project: Callable[..., None]) -> Any:
    """:func:`run_flows`, with everything switched on that remembers something."""
    project(PASSWORD_HISTORY=5, SESSION_LIMIT=0)
    return run_flows

"""What each provider asks for and answers, as its own documentation has it.

The facts are those of the contract's ``providers.yaml``; where a provider has moved since, of its
present documentation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import jwt

from tests.identities.far_side import ec_jwk, ec_pem

ADA = "ada@example.org"
BEARER = "Bearer access-token"

# What a token endpoint answers by RFC 6749.
TOKEN = {
    "access_token": "access-token",
    "refresh_token": "refresh-token",
    "expires_in": 3600,
    "token_type": "Bearer",
}


def resend_token(key: str = ec_pem(), **changed: Any) -> str:
    """An access token of Resend's, which says who somebody is."""
    claims = {
        "iss": "https://api.resend.com",
        "aud": "https://api.resend.com",
        "client_id": "client-id",
        "sub": "0b7f6c1e",
        "scope": "emails:send",
        "exp": 4_000_000_000,
        **changed,
    }
    headers = {"kid": "oauth_key", "typ": "at+jwt"}
    return jwt.encode(claims, key, algorithm="ES256", headers=headers)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One provider.

    Attributes:
        key: in OAUTH2_PROVIDERS.
        authorize, token: its addresses.
        scope: what is asked for, as the parameter has it; None for nothing.
        auth: how its token endpoint knows the site: ``body``, ``basic``, ``query``, ``bearer`` or
            ``none``.
        profile: what it answers where.
        person: id, e-mail, whether it vouches for it, and name.
        config: what its settings need besides.
        pkce: whether it knows PKCE.
        token_answer: where it is not as RFC 6749 has it.
        authorization: how the token is presented; None for another way.
        extra: further parameters of its page.
        keys: the public keys that its tokens are signed with, and where they are.
    """

    key: str
    authorize: str
    token: str
    scope: str | None
    person: tuple[str, str, bool, str]
    auth: str = "body"
    profile: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    pkce: bool = False
    token_answer: Any = None
    authorization: str | None = BEARER
    extra: dict[str, str] = field(default_factory=dict)
    keys: dict[str, Any] = field(default_factory=dict)


SHAPES = [
    Shape(
        key="amazon",
        authorize="https://www.amazon.com/ap/oa",
        token="https://api.amazon.com/auth/o2/token",
        scope="profile",
        profile={
            "https://api.amazon.com/user/profile": {
                "user_id": "amzn1.account.K2LI23KL2LK2",
                "email": ADA,
                "name": "Ada Lovelace",
            }
        },
        person=("amzn1.account.K2LI23KL2LK2", ADA, False, "Ada Lovelace"),
        pkce=True,
        authorization=None,
    ),
    Shape(
        key="authentik",
        authorize="https://auth.example.com/application/o/authorize/",
        token="https://auth.example.com/application/o/token/",
        scope="openid profile email offline_access",
        config={"endpoint": "https://auth.example.com/"},
        profile={
            "https://auth.example.com/application/o/userinfo/": {
                "sub": "5f2d",
                "email": ADA,
                "email_verified": True,
                "name": "Ada Lovelace",
            }
        },
        person=("5f2d", ADA, True, "Ada Lovelace"),
        pkce=True,
    ),
    Shape(
        key="autodesk",
        authorize="https://developer.api.autodesk.com/authentication/v2/authorize",
        token="https://developer.api.autodesk.com/authentication/v2/token",
        scope="user-profile:read",
        auth="basic",
        profile={
            "https://api.userprofile.autodesk.com/userinfo": {
                "sub": "ABCDEF123",
                "email": ADA,
                "email_verified": True,
                "name": "Ada Lovelace",
            }
        },
        person=("ABCDEF123", ADA, True, "Ada Lovelace"),
        pkce=True,
    ),
    Shape(
        key="bitbucket",
        authorize="https://bitbucket.org/site/oauth2/authorize",
        token="https://bitbucket.org/site/oauth2/access_token",
        scope=None,
        auth="basic",
        profile={
            "https://api.bitbucket.org/2.0/user": {
                "uuid": "{a54f16da}",
                "display_name": "Ada Lovelace",
                "username": "ada",
            },
            "https://api.bitbucket.org/2.0/user/emails": {
                "values": [
                    {"email": "old@example.org", "is_confirmed": False, "is_primary": False},
                    {"email": ADA, "is_confirmed": True, "is_primary": True},
                ]
            },
        },
        person=("{a54f16da}", ADA, True, "Ada Lovelace"),
    ),
    Shape(
        key="bitly",
        authorize="https://bitly.com/oauth/authorize",
        token="https://api-ssl.bitly.com/oauth/access_token",
        scope=None,
        token_answer=(
            b"access_token=access-token&login=ada&apiKey=R_x",
            "application/x-www-form-urlencoded",
        ),
        profile={
            "https://api-ssl.bitly.com/v4/user": {
                "login": "ada",
                "name": "Ada Lovelace",
                "emails": [
                    {"email": "old@example.org", "is_verified": False, "is_primary": False},
                    {"email": ADA, "is_verified": True, "is_primary": True},
                ],
            }
        },
        person=("ada", ADA, True, "Ada Lovelace"),
    ),
    Shape(
        key="box",
        authorize="https://account.box.com/api/oauth2/authorize",
        token="https://api.box.com/oauth2/token",
        scope="manage_app_users",
        profile={
            "https://api.box.com/2.0/users/me": {"id": "11446498", "login": ADA, "name": "Ada"}
        },
        person=("11446498", ADA, False, "Ada"),
    ),
    Shape(
        key="cloudflare",
        authorize="https://dash.cloudflare.com/oauth2/auth",
        token="https://dash.cloudflare.com/oauth2/token",
        scope="user-details.read",
        auth="basic",
        profile={
            "https://api.cloudflare.com/client/v4/user": {
                "success": True,
                "result": {
                    "id": "7c5dae5552338874e5053f2534d2767a",
                    "email": ADA,
                    "first_name": "Ada",
                    "last_name": "Lovelace",
                },
            }
        },
        person=("7c5dae5552338874e5053f2534d2767a", ADA, False, "Ada Lovelace"),
    ),
    Shape(
        key="dailymotion",
        authorize="https://www.dailymotion.com/oauth/authorize",
        token="https://api.dailymotion.com/oauth/token",
        scope="userinfo email",
        profile={
            "https://api.dailymotion.com/user/me": {
                "id": "x1fz4ii",
                "email": ADA,
                "fullname": "Ada Lovelace",
                "verified": True,
            }
        },
        person=("x1fz4ii", ADA, True, "Ada Lovelace"),
    ),
    Shape(
        key="discord",
        authorize="https://discord.com/api/oauth2/authorize",
        token="https://discord.com/api/oauth2/token",
        scope="identify email",
        profile={
            "https://discord.com/api/users/@me": {
                "id": "80351110224678912",
                "username": "ada",
                "email": ADA,
                "verified": True,
            }
        },
        person=("80351110224678912", ADA, True, "ada"),
        pkce=True,
    ),
    Shape(
        key="disqus",
        authorize="https://disqus.com/api/oauth/2.0/authorize/",
        token="https://disqus.com/api/oauth/2.0/access_token/",
        scope="read,email",
        token_answer={**TOKEN, "user_id": 947103743, "username": "ada"},
        profile={
            "https://disqus.com/api/3.0/users/details.json": {
                "code": 0,
                "response": {"id": "947103743", "email": ADA, "name": "Ada Lovelace"},
            }
        },
        person=("947103743", ADA, False, "Ada Lovelace"),
        authorization=None,
    ),
    Shape(
        key="dropbox",
        authorize="https://www.dropbox.com/oauth2/authorize",
        token="https://api.dropboxapi.com/oauth2/token",
        scope=None,
        profile={
            "https://api.dropboxapi.com/2/users/get_current_account": {
                "account_id": "dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc",
                "email": ADA,
                "email_verified": True,
                "name": {"display_name": "Ada Lovelace", "given_name": "Ada"},
            }
        },
        person=("dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc", ADA, True, "Ada Lovelace"),
        pkce=True,
        extra={"token_access_type": "offline"},
    ),
    Shape(
        key="etsy",
        authorize="https://www.etsy.com/oauth/connect",
        token="https://api.etsy.com/v3/public/oauth/token",
        scope="email_r profile_r",
        token_answer={**TOKEN, "access_token": "12345678.access-token"},
        profile={
            "https://openapi.etsy.com/v3/application/users/12345678": {
                "user_id": 12345678,
                "primary_email": ADA,
                "first_name": "Ada",
                "last_name": "Lovelace",
                "image_url_75x75": None,
            }
        },
        person=("12345678", ADA, False, "Ada"),
        pkce=True,
        authorization="Bearer 12345678.access-token",
    ),
    Shape(
        key="facebook",
        authorize="https://www.facebook.com/v24.0/dialog/oauth",
        token="https://graph.facebook.com/v24.0/oauth/access_token",
        scope="email",
        auth="query",
        token_answer={"access_token": "access-token", "token_type": "bearer", "expires_in": 5000},
        profile={
            "https://graph.facebook.com/v24.0/me": {
                "id": "10158",
                "name": "Ada Lovelace",
                "email": ADA,
            }
        },
        person=("10158", ADA, False, "Ada Lovelace"),
        authorization=None,
    ),
    Shape(
        key="figma",
        authorize="https://www.figma.com/oauth",
        token="https://api.figma.com/v1/oauth/token",
        scope="current_user:read",
        auth="basic",
        profile={
            "https://api.figma.com/v1/me": {"id": "1234", "email": ADA, "handle": "Ada Lovelace"}
        },
        person=("1234", ADA, False, "Ada Lovelace"),
        pkce=True,
    ),
    Shape(
        key="github",
        authorize="https://github.com/login/oauth/authorize",
        token="https://github.com/login/oauth/access_token",
        scope="user:email",
        token_answer={
            "access_token": "access-token",
            "scope": "user:email",
            "token_type": "bearer",
        },
        profile={
            "https://api.github.com/user": {
                "id": 583231,
                "login": "ada",
                "name": "Ada Lovelace",
                "email": "shown@example.org",
            },
            "https://api.github.com/user/emails": [
                {"email": "old@example.org", "primary": False, "verified": True},
                {"email": ADA, "primary": True, "verified": True},
            ],
        },
        person=("583231", ADA, True, "Ada Lovelace"),
        pkce=True,
        authorization="token access-token",
    ),
    Shape(
        key="gitlab",
        authorize="https://gitlab.com/oauth/authorize",
        token="https://gitlab.com/oauth/token",
        scope="read_user",
        profile={
            "https://gitlab.com/api/v4/user": {
                "id": 1,
                "email": ADA,
                "name": "Ada Lovelace",
                "confirmed_at": "2012-05-23T09:05:22Z",
            }
        },
        person=("1", ADA, True, "Ada Lovelace"),
        pkce=True,
    ),
    Shape(
        key="kakao",
        authorize="https://kauth.kakao.com/oauth/authorize",
        token="https://kauth.kakao.com/oauth/token",
        scope="account_email,profile_nickname",
        profile={
            "https://kapi.kakao.com/v2/user/me": {
                "id": 123456789,
                "kakao_account": {
                    "email": ADA,
                    "is_email_valid": True,
                    "is_email_verified": True,
                    "profile": {"nickname": "Ada"},
                },
            }
        },
        person=("123456789", ADA, True, "Ada"),
    ),
    Shape(
        key="kick",
        authorize="https://id.kick.com/oauth/authorize",
        token="https://id.kick.com/oauth/token",
        scope="user:read",
        profile={
            "https://api.kick.com/public/v1/users": {
                "data": [{"user_id": 4242, "email": ADA, "name": "ada"}],
                "message": "OK",
            }
        },
        person=("4242", ADA, False, "ada"),
        pkce=True,
    ),
    Shape(
        key="microsoft",
        authorize="https://login.microsoftonline.com/contoso/oauth2/v2.0/authorize",
        token="https://login.microsoftonline.com/contoso/oauth2/v2.0/token",
        scope="offline_access user.read",
        config={"tenant": "contoso"},
        profile={
            "https://graph.microsoft.com/v1.0/me": {
                "id": "87d349ed",
                "displayName": "Ada Lovelace",
                "mail": None,
                "userPrincipalName": ADA,
            }
        },
        person=("87d349ed", ADA, False, "Ada Lovelace"),
        pkce=True,
        extra={"response_mode": "query"},
    ),
    Shape(
        key="notion",
        authorize="https://api.notion.com/v1/oauth/authorize",
        token="https://api.notion.com/v1/oauth/token",
        scope=None,
        auth="basic",
        token_answer={"access_token": "access-token", "token_type": "bearer", "bot_id": "b"},
        profile={
            "https://api.notion.com/v1/users/me": {
                "object": "user",
                "id": "the bot's",
                "type": "bot",
                "bot": {
                    "owner": {
                        "type": "user",
                        "user": {
                            "id": "d40e767c",
                            "name": "Ada Lovelace",
                            "person": {"email": ADA},
                        },
                    }
                },
            }
        },
        person=("d40e767c", ADA, False, "Ada Lovelace"),
        extra={"owner": "user"},
    ),
    *(
        Shape(
            key=key,
            authorize=f"https://www.{host}/connect",
            token=f"https://api.{host}/v1/oauth2/token",
            scope="openid profile email",
            auth="basic",
            profile={
                f"https://api.{host}/v1/identity/oauth2/userinfo": {
                    "user_id": "https://www.paypal.com/webapps/auth/identity/user/mWq6",
                    "payer_id": "WDJJHEBZ4X2LY",
                    "name": "Ada Lovelace",
                    "verified_account": "true",
                    "emails": [
                        {"value": "old@example.org", "primary": False, "confirmed": True},
                        {"value": ADA, "primary": True, "confirmed": True},
                    ],
                }
            },
            person=("WDJJHEBZ4X2LY", ADA, True, "Ada Lovelace"),
            extra={"flowEntry": "static"},
        )
        for key, host in (("paypal", "paypal.com"), ("paypalSandbox", "sandbox.paypal.com"))
    ),
    Shape(
        key="podio",
        authorize="https://podio.com/oauth/authorize",
        token="https://api.podio.com/oauth/token",
        scope=None,
        profile={
            "https://api.podio.com/user": {
                "user_id": 2007,
                "mail": ADA,
                "mails": [
                    {"mail": "old@example.org", "verified": False},
                    {"mail": ADA, "verified": True, "primary": True},
                ],
            },
            "https://api.podio.com/user/profile": {"profile_id": 9, "name": "Ada Lovelace"},
        },
        person=("2007", ADA, True, "Ada Lovelace"),
        authorization="OAuth2 access-token",
    ),
    Shape(
        key="resend",
        authorize="https://api.resend.com/oauth/authorize",
        token="https://api.resend.com/oauth/token",
        scope="emails:send",
        token_answer={**TOKEN, "access_token": resend_token(), "expires_in": 900},
        keys={"https://api.resend.com/.well-known/jwks.json": {"keys": [ec_jwk()]}},
        person=("0b7f6c1e", "", False, ""),
        pkce=True,
    ),
    Shape(
        key="salesforce",
        authorize="https://login.salesforce.com/services/oauth2/authorize",
        token="https://login.salesforce.com/services/oauth2/token",
        scope="openid",
        token_answer={
            **TOKEN,
            "id": "https://login.salesforce.com/id/00Dx/005x",
            "instance_url": "https://example.my.salesforce.com",
        },
        profile={
            "https://login.salesforce.com/services/oauth2/userinfo": {
                "sub": "https://login.salesforce.com/id/00Dx/005x",
                "user_id": "005x0000001SyyEAAS",
                "email": ADA,
                "email_verified": True,
                "name": "Ada Lovelace",
            }
        },
        person=("005x0000001SyyEAAS", ADA, True, "Ada Lovelace"),
        pkce=True,
    ),
    Shape(
        key="spotify",
        authorize="https://accounts.spotify.com/authorize",
        token="https://accounts.spotify.com/api/token",
        scope="user-read-email",
        auth="basic",
        profile={
            "https://api.spotify.com/v1/me": {"id": "ada", "email": ADA, "display_name": "Ada"}
        },
        person=("ada", ADA, False, "Ada"),
        pkce=True,
    ),
    Shape(
        key="stripe",
        authorize="https://connect.stripe.com/oauth/authorize",
        token="https://connect.stripe.com/oauth/token",
        scope="read_write",
        auth="bearer",
        token_answer={**TOKEN, "stripe_user_id": "acct_1032D8", "livemode": False},
        profile={
            "https://api.stripe.com/v1/account": {
                "id": "acct_1032D8",
                "email": ADA,
                "business_profile": {"name": "Ada's shop"},
            }
        },
        person=("acct_1032D8", ADA, False, "Ada's shop"),
    ),
    Shape(
        key="tiktok",
        authorize="https://www.tiktok.com/v2/auth/authorize/",
        token="https://open.tiktokapis.com/v2/oauth/token/",
        scope="user.info.basic",
        token_answer={**TOKEN, "open_id": "723f24d7"},
        profile={
            "https://open.tiktokapis.com/v2/user/info/": {
                "data": {"user": {"open_id": "723f24d7", "display_name": "Ada"}},
                "error": {"code": "ok"},
            }
        },
        person=("723f24d7", "", False, "Ada"),
    ),
    *(
        Shape(
            key=key,
            authorize=f"https://{host}/tradeshift/auth/login",
            token=f"https://{host}/tradeshift/auth/token",
            scope="openid offline",
            auth="basic",
            profile={
                f"https://{host}/tradeshift/rest/external/account/info/user": {
                    "Id": "f6e8c3a0",
                    "Username": ADA,
                    "FirstName": "Ada",
                    "LastName": "Lovelace",
                }
            },
            person=("f6e8c3a0", ADA, False, "Ada Lovelace"),
        )
        for key, host in (
            ("tradeshift", "api.tradeshift.com"),
            ("tradeshiftBox", "api-sandbox.tradeshift.com"),
        )
    ),
    Shape(
        key="twitch",
        authorize="https://id.twitch.tv/oauth2/authorize",
        token="https://id.twitch.tv/oauth2/token",
        scope="user:read:email",
        token_answer={**TOKEN, "scope": ["user:read:email"]},
        profile={
            "https://api.twitch.tv/helix/users": {
                "data": [{"id": "141981764", "login": "ada", "display_name": "Ada", "email": ADA}]
            }
        },
        person=("141981764", ADA, False, "Ada"),
        extra={"force_verify": "1"},
    ),
    Shape(
        key="webflow",
        authorize="https://webflow.com/oauth/authorize",
        token="https://api.webflow.com/oauth/access_token",
        scope="authorized_user:read",
        token_answer={"access_token": "access-token", "token_type": "bearer"},
        profile={
            "https://api.webflow.com/v2/token/authorized_by": {
                "id": "545bbecb7bdd6769632504a7",
                "email": ADA,
                "firstName": "Ada",
                "lastName": "Lovelace",
            }
        },
        person=("545bbecb7bdd6769632504a7", ADA, False, "Ada Lovelace"),
    ),
    Shape(
        key="wordpress",
        authorize="https://public-api.wordpress.com/oauth2/authorize",
        token="https://public-api.wordpress.com/oauth2/token",
        scope="auth",
        profile={
            "https://public-api.wordpress.com/rest/v1.1/me": {
                "ID": 78972699,
                "username": "ada",
                "display_name": "Ada Lovelace",
                "email": ADA,
                "verified": True,
                "email_verified": True,
            }
        },
        person=("78972699", ADA, True, "Ada Lovelace"),
    ),
    Shape(
        key="x",
        authorize="https://x.com/i/oauth2/authorize",
        token="https://api.x.com/2/oauth2/token",
        scope="tweet.read users.read users.email offline.access",
        auth="basic",
        profile={
            "https://api.x.com/2/users/me": {
                "data": {
                    "id": "2244994945",
                    "name": "Ada Lovelace",
                    "username": "ada",
                    "confirmed_email": ADA,
                }
            }
        },
        person=("2244994945", ADA, True, "Ada Lovelace"),
        pkce=True,
    ),
    Shape(
        key="yahoo",
        authorize="https://api.login.yahoo.com/oauth2/request_auth",
        token="https://api.login.yahoo.com/oauth2/get_token",
        scope="openid profile email",
        auth="basic",
        profile={
            "https://api.login.yahoo.com/openid/v1/userinfo": {
                "sub": "FSVIDUW3D7FSVIDUW3D72F2F",
                "email": ADA,
                "email_verified": True,
                "name": "Ada Lovelace",
            }
        },
        person=("FSVIDUW3D7FSVIDUW3D72F2F", ADA, True, "Ada Lovelace"),
        pkce=True,
    ),
    Shape(
        key="yammer",
        authorize="https://www.yammer.com/dialog/oauth",
        token="https://www.yammer.com/oauth2/access_token",
        scope=None,
        token_answer={
            "access_token": {"token": "access-token", "expires_at": None, "user_id": 1496550646},
            "user": {"id": 1496550646},
            "network": {"id": 155465488},
        },
        profile={
            "https://www.yammer.com/api/v1/users/current.json": {
                "id": 1496550646,
                "email": ADA,
                "full_name": "Ada Lovelace",
            }
        },
        person=("1496550646", ADA, False, "Ada Lovelace"),
    ),
    Shape(
        key="yandex",
        authorize="https://oauth.yandex.com/authorize",
        token="https://oauth.yandex.com/token",
        scope=None,
        auth="basic",
        profile={
            "https://login.yandex.ru/info": {
                "id": "1000034426",
                "login": "ada",
                "display_name": "ada",
                "default_email": ADA,
                "emails": [ADA],
            }
        },
        person=("1000034426", ADA, False, "ada"),
        pkce=True,
        authorization=None,
    ),
    Shape(
        key="zoom",
        authorize="https://zoom.us/oauth/authorize",
        token="https://zoom.us/oauth/token",
        scope="user_info:read",
        auth="basic",
        profile={
            "https://api.zoom.us/v2/users/me": {
                "id": "KDcuGIm1QgePTO8WbOqwIQ",
                "email": ADA,
                "verified": 1,
                "first_name": "Ada",
                "last_name": "Lovelace",
            }
        },
        person=("KDcuGIm1QgePTO8WbOqwIQ", ADA, True, "Ada Lovelace"),
        pkce=True,
    ),
]


@dataclass(frozen=True, kw_only=True)
class OpenIdShape:
    """A provider that speaks OpenID Connect: the rest of it is in its own description."""

    key: str
    issuer: str
    scope: str = "openid profile email"
    config: dict[str, Any] = field(default_factory=dict)
    verifies: bool = True
    pkce: bool = True
    nonce: bool = True
    basic: bool = False
    extra: dict[str, str] = field(default_factory=dict)


OFFLINE = "openid profile email offline_access"

OPENID_SHAPES = [
    OpenIdShape(
        key="apple",
        issuer="https://appleid.apple.com",
        scope="name email",
        config={"team_id": "TEAM123456", "key_id": "KEY1234567", "private_key": ec_pem()},
        pkce=False,
        extra={"response_mode": "form_post"},
    ),
    OpenIdShape(key="appwrite", issuer="https://cloud.appwrite.io/v1/oauth2/console"),
    OpenIdShape(
        key="auth0",
        # With a slash at its end, as Auth0 has it.
        issuer="https://tenant.eu.auth0.com/",
        scope=OFFLINE,
        config={"domain": "tenant.eu.auth0.com"},
    ),
    OpenIdShape(
        key="fusionauth",
        issuer="https://fusion.example.com",
        scope=OFFLINE,
        config={"endpoint": "https://fusion.example.com"},
    ),
    OpenIdShape(
        key="google",
        issuer="https://accounts.google.com",
        scope="https://www.googleapis.com/auth/userinfo.email"
        " https://www.googleapis.com/auth/userinfo.profile openid",
        extra={"access_type": "offline", "prompt": "consent"},
    ),
    OpenIdShape(key="huggingface", issuer="https://huggingface.co", basic=True),
    OpenIdShape(
        key="keycloak",
        issuer="https://keycloak.example.com/realms/main",
        scope=OFFLINE,
        config={"domain": "keycloak.example.com", "realm": "main"},
    ),
    OpenIdShape(key="linkedin", issuer="https://www.linkedin.com/oauth", pkce=False, nonce=False),
    OpenIdShape(
        key="oidc",
        issuer="https://id.example.net",
        config={"endpoint": "https://id.example.net", "prompt": ["login", "consent"]},
        extra={"prompt": "login consent"},
    ),
    OpenIdShape(
        key="okta",
        issuer="https://dev-1.okta.com/oauth2/default",
        scope=OFFLINE,
        config={"domain": "dev-1.okta.com"},
    ),
    OpenIdShape(key="slack", issuer="https://slack.com", verifies=False, pkce=False),
    OpenIdShape(key="zoho", issuer="https://accounts.zoho.com", pkce=False),
]

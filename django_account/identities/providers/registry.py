"""Every provider at a glance: who speaks its protocol, and which field of its answers is what.

``social-core`` has the backend where it has one; else a small class of ours in the same shape lies
beside this module. A profile's fields are named by their path in the provider's answer
(``"data.id"``), or by a function where a path does not do.

``verified`` names the field by which the provider vouches for the e-mail address; None: it does not
say, and so its address never leads to somebody's account.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any

from django.urls import NoReverseMatch, reverse
from social_core.backends.open_id_connect import OpenIdConnectAuth

from django_account.conf import conf
from django_account.exceptions import ProviderDisabled, ProviderUnsupported
from django_account.identities.providers.base import Dance, OpenIdDance

Answer = Mapping[str, Any]
Field = str | Callable[[Answer], Any]

_SOCIAL = "social_core.backends"
_OURS = "django_account.identities.providers"

# Where a profile has what the browser brought beside the code: apart from what the provider says.
POSTED = "posted by the browser"

# Scopes of OpenID Connect.
_OPENID = ("openid", "profile", "email")
_OPENID_OFFLINE = (*_OPENID, "offline_access")


def read(answer: Any, path: Field) -> Any:
    """A field of an answer; None where it is not there."""
    if callable(path):
        return path(answer)
    for name in path.split("."):
        answer = answer.get(name) if isinstance(answer, Mapping) else None
    return answer


def first_of(*paths: str) -> Callable[[Answer], Any]:
    """The first of several fields that holds something."""
    return lambda answer: next(filter(None, (read(answer, path) for path in paths)), None)


def joined(*paths: str) -> Callable[[Answer], str]:
    """Several fields with a blank between them."""
    return lambda answer: " ".join(
        part for path in paths if isinstance(part := read(answer, path), str) and part
    )


def present(path: str) -> Callable[[Answer], bool]:
    """Whether a field holds something, which is how some providers say yes."""
    return lambda answer: bool(read(answer, path))


# Compared and hashed by identity: there is one of each.
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Provider:
    """One provider.

    Attributes:
        key: what it is called on the wire and in OAUTH2_PROVIDERS, in this case.
        name: what people call it.
        backend: where its class is.
        scopes: always asked for.
        uid, email, display_name: the fields of the profile.
        verified: the field that vouches for the address; None: none does.
        pkce: whether it knows PKCE. One that does not would ignore it, or refuse.
        needs: keys of OAUTH2_PROVIDERS that it cannot do without, besides ``client_id`` and
            ``client_secret``; one of several where they are separated by ``|``.
        takes: keys that it understands besides.
        settings: what its backend is set up with; ``{domain}`` and the like are filled in.
        defaults: for keys left out.
        extra: further parameters of its authorization page.
        attributes: of its class, where the backend's own are out of date.
        sends_scopes: whether it is asked for scopes at all.
        native_issuers: the issuers of its ID tokens, where apps sign in natively.
        console: where a site registers.
        note: what somebody who sets it up should know.
    """

    key: str
    name: str
    backend: str
    scopes: tuple[str, ...] = ()
    uid: Field = "id"
    email: Field = "email"
    verified: Field | None = None
    display_name: Field = "name"
    pkce: bool = False
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    sends_scopes: bool = True
    native_issuers: tuple[str, ...] = ()
    console: str = ""
    note: str = ""

    @property
    def known_keys(self) -> frozenset[str]:
        """The keys that its entry in OAUTH2_PROVIDERS may have."""
        alternatives = (key for need in self.needs for key in need.split("|"))
        native = ("native", "native_client_ids") if self.native_issuers else ()
        return frozenset({*COMMON_KEYS, *alternatives, *self.takes, *native})

    @property
    def needs_secret(self) -> bool:
        """Whether it takes a client secret; Apple's is made of its private key."""
        return "private_key" not in self.needs

    def missing(self, config: Mapping[str, Any]) -> list[str]:
        """The keys that a configuration lacks, as ``needs`` spells them."""
        always = ("client_id", "client_secret") if self.needs_secret else ("client_id",)
        return [
            need
            for need in (*always, *self.needs)
            if not any(config.get(key) for key in need.split("|"))
        ]


# Where an OpenID provider describes itself; people also write it with this behind.
_DISCOVERY = "/.well-known/openid-configuration"

# What every provider's entry may hold.
COMMON_KEYS = ("client_id", "client_secret", "scopes", "enabled", "prompt")


def _openid(key: str, name: str, issuer: str, **rest: Any) -> Provider:
    """A provider that speaks OpenID Connect as it is written."""
    return Provider(
        **{
            "key": key,
            "name": name,
            "backend": f"{_SOCIAL}.open_id_connect.OpenIdConnectAuth",
            "scopes": _OPENID,
            "uid": "sub",
            "verified": "email_verified",
            "pkce": True,
            **rest,
            "settings": {"OIDC_ENDPOINT": issuer, **rest.get("settings", {})},
        }
    )


def _github_email(answer: Answer) -> dict[str, Any]:
    """The primary verified address, else another verified one, else what the profile shows."""
    listed = [entry for entry in answer.get("emails") or () if isinstance(entry, Mapping)]
    verified = [entry for entry in listed if entry.get("verified") is True]
    verified.sort(key=lambda entry: not entry.get("primary"))
    return dict(verified[0]) if verified else {"email": answer.get("email")}


def _primary(entries: Any) -> dict[str, Any]:
    """The primary entry of a list of addresses, else the first."""
    listed = [entry for entry in entries or () if isinstance(entry, Mapping)]
    listed.sort(key=lambda entry: not entry.get("primary"))
    return dict(listed[0]) if listed else {}


def _paypal(key: str, name: str, backend: str) -> Provider:
    return Provider(
        key=key,
        name=name,
        backend=f"{_SOCIAL}.paypal.{backend}",
        scopes=_OPENID,
        uid="payer_id",
        email=lambda answer: _primary(answer.get("emails")).get("value"),
        verified=lambda answer: (
            str(answer.get("verified_account")).lower() == "true"
            and _primary(answer.get("emails")).get("confirmed", True) is True
        ),
        extra={"flowEntry": "static"},
        attributes={"ID_KEY": "payer_id"},
        console="https://developer.paypal.com/dashboard/applications",
        note="PayPal takes no callback URL at localhost: use 127.0.0.1.",
    )


def _tradeshift(key: str, name: str, backend: str) -> Provider:
    return Provider(
        key=key,
        name=name,
        backend=f"{_OURS}.tradeshift.{backend}",
        scopes=("openid", "offline"),
        uid="Id",
        email="Username",
        display_name=joined("FirstName", "LastName"),
        console="https://developers.tradeshift.com/",
    )


_PROVIDERS = (
    Provider(
        key="amazon",
        name="Amazon",
        backend=f"{_SOCIAL}.amazon.AmazonOAuth2",
        scopes=("profile",),
        uid="user_id",
        pkce=True,
        console="https://developer.amazon.com/loginwithamazon/console/site/lwa/overview.html",
    ),
    Provider(
        key="apple",
        name="Apple",
        backend=f"{_OURS}.apple.AppleOpenId",
        scopes=("name", "email"),
        uid="sub",
        verified=lambda answer: str(answer.get("email_verified")).lower() == "true",
        display_name=joined(f"{POSTED}.name.firstName", f"{POSTED}.name.lastName"),
        needs=("team_id", "key_id", "private_key"),
        extra={"response_mode": "form_post"},
        native_issuers=("https://appleid.apple.com",),
        console="https://developer.apple.com/account/resources/identifiers/list/serviceId",
        note="`client_id` is the Services ID, `private_key` the text of the .p8 file. Apple posts "
        "to the callback, and tells the name at the first consent only.",
    ),
    _openid(
        "appwrite",
        "Appwrite",
        "https://cloud.appwrite.io/v1/oauth2/console",
        takes=("issuer",),
        console="https://cloud.appwrite.io/",
    ),
    _openid(
        "auth0",
        "Auth0",
        "{domain}",
        scopes=_OPENID_OFFLINE,
        needs=("domain|endpoint",),
        takes=("issuer",),
        console="https://manage.auth0.com/",
        note="`domain` is the tenant's host, as in tenant.eu.auth0.com.",
    ),
    Provider(
        key="authentik",
        name="Authentik",
        backend=f"{_OURS}.authentik.AuthentikOAuth2",
        scopes=_OPENID_OFFLINE,
        uid="sub",
        verified="email_verified",
        pkce=True,
        needs=("domain|endpoint",),
        settings={
            "BASE_URL": "{domain}",
            "USER_URL": "{domain}/application/o/userinfo/",
        },
        console="https://docs.goauthentik.io/add-secure-apps/providers/oauth2/",
    ),
    Provider(
        key="autodesk",
        name="Autodesk",
        backend=f"{_OURS}.autodesk.AutodeskOAuth2",
        scopes=("user-profile:read",),
        uid=first_of("sub", "userId"),
        email=first_of("email", "emailId"),
        verified=first_of("email_verified", "emailVerified"),
        display_name=first_of("name", "userName"),
        pkce=True,
        console="https://aps.autodesk.com/myapps/",
        note="Version 2 of their end points; version 1 has been switched off.",
    ),
    Provider(
        key="bitbucket",
        name="Bitbucket",
        backend=f"{_OURS}.bitbucket.BitbucketOAuth2",
        uid="uuid",
        verified="is_confirmed",
        display_name="display_name",
        console="https://support.atlassian.com/bitbucket-cloud/docs/use-oauth-on-bitbucket-cloud/",
        note="Give the consumer the permissions to read the account and its e-mail.",
    ),
    Provider(
        key="bitly",
        name="Bitly",
        backend=f"{_OURS}.bitly.BitlyOAuth2",
        uid="login",
        email=lambda answer: _verified_of(answer.get("emails"), "is_verified").get("email"),
        verified=lambda answer: bool(_verified_of(answer.get("emails"), "is_verified")),
        sends_scopes=False,
        console="https://app.bitly.com/settings/api/oauth/",
    ),
    Provider(
        key="box",
        name="Box",
        backend=f"{_SOCIAL}.box.BoxOAuth2",
        scopes=("manage_app_users",),
        email="login",
        attributes={
            "AUTHORIZATION_URL": "https://account.box.com/api/oauth2/authorize",
            "ACCESS_TOKEN_URL": "https://api.box.com/oauth2/token",
            "USER_URL": "https://api.box.com/2.0/users/me",
        },
        console="https://app.box.com/developers/console",
    ),
    Provider(
        key="cloudflare",
        name="Cloudflare",
        backend=f"{_OURS}.cloudflare.CloudflareOAuth2",
        scopes=("user-details.read",),
        uid="result.id",
        email="result.email",
        display_name=joined("result.first_name", "result.last_name"),
        console="https://developers.cloudflare.com/fundamentals/",
    ),
    Provider(
        key="dailymotion",
        name="Dailymotion",
        backend=f"{_SOCIAL}.dailymotion.DailymotionOAuth2",
        scopes=("userinfo", "email"),
        verified="verified",
        display_name="fullname",
        attributes={
            "AUTHORIZATION_URL": "https://www.dailymotion.com/oauth/authorize",
            "USER_URL": "https://api.dailymotion.com/user/me?fields=email,id,fullname,verified",
        },
        console="https://www.dailymotion.com/partner",
    ),
    Provider(
        key="discord",
        name="Discord",
        backend=f"{_SOCIAL}.discord.DiscordOAuth2",
        scopes=("identify", "email"),
        verified="verified",
        display_name="username",
        pkce=True,
        attributes={"SCOPE_SEPARATOR": " "},
        console="https://discord.com/developers/applications",
    ),
    Provider(
        key="disqus",
        name="Disqus",
        backend=f"{_OURS}.disqus.DisqusOAuth2",
        scopes=("read", "email"),
        uid="response.id",
        email="response.email",
        display_name="response.name",
        console="https://disqus.com/api/applications/",
    ),
    Provider(
        key="dropbox",
        name="Dropbox",
        backend=f"{_SOCIAL}.dropbox.DropboxOAuth2V2",
        uid="account_id",
        verified="email_verified",
        display_name="name.display_name",
        pkce=True,
        sends_scopes=False,
        extra={"token_access_type": "offline"},
        console="https://www.dropbox.com/developers/apps",
    ),
    Provider(
        key="etsy",
        name="Etsy",
        backend=f"{_SOCIAL}.etsy.EtsyOAuth2",
        scopes=("email_r", "profile_r"),
        uid="user_id",
        email="primary_email",
        display_name=first_of("login_name", "first_name"),
        pkce=True,
        console="https://www.etsy.com/developers/your-apps",
    ),
    Provider(
        key="facebook",
        name="Facebook",
        backend=f"{_SOCIAL}.facebook.FacebookOAuth2",
        scopes=("email",),
        settings={"API_VERSION": "{api_version}"},
        takes=("api_version",),
        defaults={"api_version": "24.0"},
        attributes={"PROFILE_FIELDS": "id,name,email"},
        console="https://developers.facebook.com/apps/",
    ),
    Provider(
        key="figma",
        name="Figma",
        backend=f"{_OURS}.figma.FigmaOAuth2",
        scopes=("current_user:read",),
        display_name="handle",
        pkce=True,
        console="https://www.figma.com/developers/apps",
    ),
    _openid(
        "fusionauth",
        "FusionAuth",
        "{domain}",
        scopes=_OPENID_OFFLINE,
        needs=("domain|endpoint",),
        takes=("issuer",),
        console="https://fusionauth.io/docs/",
        note="`issuer` is the tenant's *Issuer* (`acme.com` in a new FusionAuth), unless that is "
        "the same address as `domain`. The application must sign its ID tokens with a key pair "
        "(RS256), not with HS256.",
    ),
    Provider(
        key="github",
        name="GitHub",
        backend=f"{_SOCIAL}.github.GithubOAuth2",
        scopes=("user:email",),
        email=lambda answer: _github_email(answer).get("email"),
        verified=lambda answer: _github_email(answer).get("verified"),
        pkce=True,
        attributes={"SCOPE_SEPARATOR": " "},
        console="https://github.com/settings/developers",
    ),
    Provider(
        key="gitlab",
        name="GitLab",
        backend=f"{_SOCIAL}.gitlab.GitLabOAuth2",
        scopes=("read_user",),
        verified=present("confirmed_at"),
        pkce=True,
        takes=("endpoint",),
        defaults={"endpoint": "https://gitlab.com"},
        settings={"API_URL": "{endpoint}", "USER_URL": "{endpoint}/api/v4/user"},
        console="https://gitlab.com/-/user_settings/applications",
        note="`endpoint` is the address of your own GitLab.",
    ),
    _openid(
        "google",
        "Google",
        "https://accounts.google.com",
        scopes=(
            "https://www.googleapis.com/auth/userinfo.email",
            "https://www.googleapis.com/auth/userinfo.profile",
            "openid",
        ),
        extra={"access_type": "offline", "prompt": "consent"},
        native_issuers=("https://accounts.google.com", "accounts.google.com"),
        console="https://console.cloud.google.com/apis/credentials",
    ),
    _openid(
        "huggingface",
        "Hugging Face",
        "https://huggingface.co",
        console="https://huggingface.co/settings/applications/new",
    ),
    Provider(
        key="kakao",
        name="Kakao",
        backend=f"{_OURS}.kakao.KakaoOAuth2",
        scopes=("account_email", "profile_nickname"),
        email="kakao_account.email",
        verified=lambda answer: (
            read(answer, "kakao_account.is_email_verified") is True
            and read(answer, "kakao_account.is_email_valid") is not False
        ),
        display_name="kakao_account.profile.nickname",
        console="https://developers.kakao.com/console/app",
    ),
    _openid(
        "keycloak",
        "Keycloak",
        "{realm_address}",
        scopes=_OPENID_OFFLINE,
        needs=("domain|endpoint",),
        takes=("realm", "issuer"),
        console="https://www.keycloak.org/docs/latest/server_admin/",
        note="Either `domain` and `realm`, or the realm's own address as `endpoint`.",
    ),
    Provider(
        key="kick",
        name="Kick",
        backend=f"{_SOCIAL}.kick.KickOAuth2",
        scopes=("user:read",),
        uid="user_id",
        pkce=True,
        console="https://kick.com/settings/developer",
    ),
    _openid(
        "linkedin",
        "LinkedIn",
        "https://www.linkedin.com/oauth",
        display_name=lambda answer: (
            answer.get("name") or joined("given_name", "family_name")(answer)
        ),
        # Their web flow knows neither.
        pkce=False,
        attributes={"USE_NONCE": False, "TOKEN_ENDPOINT_AUTH_METHOD": "client_secret_post"},
        console="https://www.linkedin.com/developers/apps",
        note="Add the product *Sign In with LinkedIn using OpenID Connect* to the app.",
    ),
    Provider(
        key="microsoft",
        name="Microsoft",
        backend=f"{_SOCIAL}.microsoft.MicrosoftOAuth2",
        scopes=("offline_access", "user.read"),
        email=first_of("mail", "userPrincipalName"),
        display_name="displayName",
        pkce=True,
        takes=("tenant",),
        defaults={"tenant": "common"},
        settings={
            "AUTHORIZATION_URL": "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize",
            "ACCESS_TOKEN_URL": "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
        },
        extra={"response_mode": "query"},
        console="https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps",
        note="`tenant` is a tenant's id, `common` (the default), `organizations` or `consumers`. "
        "Any tenant's administrator sets its addresses, so that none of them counts as verified.",
    ),
    Provider(
        key="notion",
        name="Notion",
        backend=f"{_OURS}.notion.NotionOAuth2",
        uid="bot.owner.user.id",
        email="bot.owner.user.person.email",
        display_name="bot.owner.user.name",
        sends_scopes=False,
        extra={"owner": "user"},
        console="https://www.notion.so/profile/integrations",
    ),
    _openid(
        "oidc",
        "OpenID Connect",
        "{endpoint}",
        needs=("endpoint|issuer",),
        takes=(
            *("authorization_url", "token_url", "user_info_url", "jwks_url"),
            *("token_auth_method", "max_age"),
        ),
        settings={
            "AUTHORIZATION_URL": "{authorization_url}",
            "ACCESS_TOKEN_URL": "{token_url}",
            "USERINFO_URL": "{user_info_url}",
            "JWKS_URI": "{jwks_url}",
            "ID_TOKEN_ISSUER": "{issuer}",
            "TOKEN_ENDPOINT_AUTH_METHOD": "{token_auth_method}",
        },
        note="Any OpenID provider. `endpoint` is its issuer, where "
        "`/.well-known/openid-configuration` is found; the other addresses override what stands "
        "there. With all of them, `issuer` and `token_auth_method` (`client_secret_post` or "
        "`client_secret_basic`), nothing is looked up there. Its ID tokens must be signed with a "
        "key pair, not with the client secret (HS256).",
    ),
    _openid(
        "okta",
        "Okta",
        "{domain}/oauth2/{authorization_server_id}",
        scopes=_OPENID_OFFLINE,
        needs=("domain|endpoint",),
        takes=("authorization_server_id", "issuer"),
        defaults={"authorization_server_id": "default"},
        console="https://developer.okta.com/",
    ),
    _paypal("paypal", "PayPal", "PayPalOAuth2"),
    _paypal("paypalSandbox", "PayPal Sandbox", "PayPalOAuth2Sandbox"),
    Provider(
        key="podio",
        name="Podio",
        backend=f"{_OURS}.podio.PodioOAuth2",
        uid="user.user_id",
        email="user.mail",
        verified=lambda answer: any(
            entry.get("verified") is True
            for entry in read(answer, "user.mails") or ()
            if isinstance(entry, Mapping) and entry.get("mail") == read(answer, "user.mail")
        ),
        display_name="profile.name",
        sends_scopes=False,
        console="https://podio.com/settings/api",
    ),
    Provider(
        key="resend",
        name="Resend",
        backend=f"{_OURS}.resend.ResendOAuth2",
        # The narrowest that there is.
        scopes=("emails:send",),
        uid="sub",
        email=lambda answer: None,
        display_name=lambda answer: None,
        pkce=True,
        console="https://resend.com/docs/guides/building-a-resend-oauth-client",
        note="Clients are registered by `POST https://api.resend.com/oauth/register`, with "
        "`client_secret_post` and the scope `emails:send`. Resend tells neither name nor address, "
        "so it can be linked to an account but makes none, and with the token your site may send "
        "e-mail in the person's name.",
    ),
    Provider(
        key="salesforce",
        name="Salesforce",
        backend=f"{_SOCIAL}.salesforce.SalesforceOAuth2",
        scopes=("openid",),
        uid="user_id",
        verified="email_verified",
        pkce=True,
        attributes={"USER_URL": "https://login.salesforce.com/services/oauth2/userinfo"},
        console="https://help.salesforce.com/s/articleView?id=sf.connected_app_create.htm",
    ),
    _openid(
        "slack",
        "Slack",
        "https://slack.com",
        # A workspace's administrators set its members' addresses.
        verified=None,
        # With PKCE Slack takes the app for one without a secret.
        pkce=False,
        console="https://api.slack.com/apps",
        note="*Sign in with Slack*, by OpenID Connect.",
    ),
    Provider(
        key="spotify",
        name="Spotify",
        backend=f"{_SOCIAL}.spotify.SpotifyOAuth2",
        scopes=("user-read-email",),
        display_name="display_name",
        pkce=True,
        # Its headers carry the client's credentials.
        attributes={"USE_BASIC_AUTH": True},
        console="https://developer.spotify.com/dashboard",
    ),
    Provider(
        key="stripe",
        name="Stripe",
        backend=f"{_SOCIAL}.stripe.StripeOAuth2",
        scopes=("read_write",),
        uid=first_of("stripe_user_id", "id"),
        display_name=first_of("business_profile.name", "name"),
        console="https://dashboard.stripe.com/settings/connect",
        note="`client_secret` is the secret key of your Stripe account.",
    ),
    Provider(
        key="tiktok",
        name="TikTok",
        backend=f"{_OURS}.tiktok.TikTokOAuth2",
        scopes=("user.info.basic",),
        uid="data.user.open_id",
        email=lambda answer: None,
        display_name="data.user.display_name",
        console="https://developers.tiktok.com/apps/",
        note="TikTok tells no address, so it can be linked to an account but makes none.",
    ),
    _tradeshift("tradeshift", "Tradeshift", "TradeshiftOAuth2"),
    _tradeshift("tradeshiftBox", "Tradeshift Sandbox", "TradeshiftSandboxOAuth2"),
    Provider(
        key="twitch",
        name="Twitch",
        backend=f"{_SOCIAL}.twitch.TwitchOAuth2",
        scopes=("user:read:email",),
        display_name="display_name",
        extra={"force_verify": "1"},
        console="https://dev.twitch.tv/console/apps",
    ),
    Provider(
        key="webflow",
        name="Webflow",
        backend=f"{_OURS}.webflow.WebflowOAuth2",
        scopes=("authorized_user:read",),
        display_name=joined("firstName", "lastName"),
        console="https://webflow.com/dashboard",
    ),
    Provider(
        key="wordpress",
        name="WordPress",
        backend=f"{_OURS}.wordpress.WordPressOAuth2",
        scopes=("auth",),
        uid="ID",
        verified=lambda answer: (
            answer.get("verified") is True and answer.get("email_verified", True) is True
        ),
        display_name=first_of("display_name", "username"),
        console="https://developer.wordpress.com/apps/",
        note="WordPress.com, not a WordPress of one's own.",
    ),
    Provider(
        key="x",
        name="X",
        backend=f"{_SOCIAL}.twitter_oauth2.TwitterOAuth2",
        scopes=("tweet.read", "users.read", "users.email", "offline.access"),
        uid="data.id",
        email="data.confirmed_email",
        verified=present("data.confirmed_email"),
        display_name="data.name",
        pkce=True,
        attributes={
            "AUTHORIZATION_URL": "https://x.com/i/oauth2/authorize",
            "ACCESS_TOKEN_URL": "https://api.x.com/2/oauth2/token",
            "USER_URL": "https://api.x.com/2/users/me?user.fields=confirmed_email",
        },
        console="https://developer.x.com/en/portal/dashboard",
        note="Switch *Request email from users* on, or nobody can sign up.",
    ),
    Provider(
        key="yahoo",
        name="Yahoo",
        backend=f"{_SOCIAL}.yahoo.YahooOAuth2",
        scopes=_OPENID,
        uid="sub",
        verified="email_verified",
        pkce=True,
        console="https://developer.yahoo.com/apps/",
    ),
    Provider(
        key="yammer",
        name="Yammer",
        backend=f"{_SOCIAL}.yammer.YammerOAuth2",
        display_name="full_name",
        sends_scopes=False,
        attributes={"USER_URL": "https://www.yammer.com/api/v1/users/current.json"},
        console="https://www.yammer.com/client_applications",
    ),
    Provider(
        key="yandex",
        name="Yandex",
        backend=f"{_SOCIAL}.yandex.YandexOAuth2",
        email="default_email",
        display_name="display_name",
        pkce=True,
        attributes={"USE_BASIC_AUTH": True},
        console="https://oauth.yandex.com/",
    ),
    _openid(
        "zoho",
        "Zoho",
        "{domain}",
        pkce=False,
        takes=("domain", "issuer"),
        defaults={"domain": "https://accounts.zoho.com"},
        attributes={"HAS_USERINFO": False},
        console="https://api-console.zoho.com/",
        note="`domain` is the data centre's host, as in accounts.zoho.eu.",
    ),
    Provider(
        key="zoom",
        name="Zoom",
        backend=f"{_SOCIAL}.zoom.ZoomOAuth2",
        scopes=("user_info:read",),
        verified=lambda answer: answer.get("verified") == 1,
        display_name=joined("first_name", "last_name"),
        pkce=True,
        attributes={"USE_BASIC_AUTH": True},
        console="https://marketplace.zoom.us/",
    ),
)


def _verified_of(entries: Any, flag: str) -> dict[str, Any]:
    """The first entry of a list of addresses that has a flag."""
    for entry in entries or ():
        if isinstance(entry, Mapping) and entry.get(flag) is True:
            return dict(entry)
    return {}


PROVIDERS: dict[str, Provider] = {provider.key: provider for provider in _PROVIDERS}


def find_provider(key: str) -> Provider:
    """A provider by its key, in exactly this case.

    Raises:
        ProviderUnsupported: there is none.
    """
    try:
        return PROVIDERS[key]
    except KeyError:
        raise ProviderUnsupported from None


def read_config(provider: Provider) -> dict[str, Any]:
    """What OAUTH2_PROVIDERS says about a provider, with the defaults of what it leaves out.

    Raises:
        ProviderDisabled: it is not named there, switched off, or lacks something.
    """
    config = conf.oauth2_providers.get(provider.key)
    if config is None or config.get("enabled", True) is not True:
        raise ProviderDisabled(provider.name)
    if missing := provider.missing(config):
        raise ProviderDisabled(provider.name, missing)
    return {**provider.defaults, **config}


def is_enabled(provider: Provider) -> bool:
    """Whether people can sign in with a provider."""
    try:
        read_config(provider)
    except ProviderDisabled:
        return False
    return True


def callback_path(provider: Provider) -> str:
    """The path that a provider sends browsers to, to be registered there."""
    keywords = {"provider": provider.key, "projectId": conf.project_id}
    try:
        return reverse("django_account:oauth2_callback", kwargs=keywords)
    except NoReverseMatch:
        # The site has not included our URLs yet.
        return "/v1/account/sessions/oauth2/callback/{provider}/{projectId}".format(**keywords)


def backend_settings(provider: Provider, config: Mapping[str, Any]) -> dict[str, Any]:
    """What social-core's backend is set up with."""
    values = {name: str(value) for name, value in config.items() if isinstance(value, str | float)}
    for name in ("domain", "endpoint"):
        if value := values.get(name):
            address = value if "://" in value else f"https://{value}"
            values[name] = address.removesuffix(_DISCOVERY).rstrip("/")
    values.setdefault("endpoint", values.get("issuer", ""))
    values.setdefault("domain", values["endpoint"])
    realm = f"/realms/{values['realm']}" if "realm" in values else ""
    values["realm_address"] = values["domain"] + realm
    filled = {
        name: template.format_map(_Blank(values)) for name, template in provider.settings.items()
    }
    extra = dict(provider.extra)
    if prompt := config.get("prompt"):
        extra["prompt"] = prompt if isinstance(prompt, str) else " ".join(prompt)
    if "max_age" in config:
        extra["max_age"] = str(config["max_age"])
    return {
        **{name: value for name, value in filled.items() if value},
        "KEY": config["client_id"],
        "SECRET": config.get("client_secret", ""),
        "ISSUER": values.get("issuer", ""),
        "AUTH_EXTRA_ARGUMENTS": extra,
        "CONFIG": config,
    }


class _Blank(dict[str, str]):
    """Nothing for a key that was not given."""

    def __missing__(self, key: str) -> str:
        return ""


@cache
def backend_class(provider: Provider) -> type[Dance]:
    """A provider's class: our dance around its backend."""
    module, _, name = provider.backend.rpartition(".")
    backend = getattr(import_module(module), name)
    dance = OpenIdDance if issubclass(backend, OpenIdConnectAuth) else Dance
    attributes = {
        "name": provider.key,
        "REDIRECT_STATE": False,
        "DEFAULT_USE_PKCE": provider.pkce,
        "PKCE_DEFAULT_CODE_CHALLENGE_METHOD": "S256",
        **provider.attributes,
    }
    bases = (dance,) if issubclass(dance, backend) else (dance, backend)
    made: type[Dance] = type(f"{name}Dance", bases, attributes)
    return made

"""One-time tokens: links and codes that sign in (core.md §9.11 to §9.16)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core import mail
from django.utils import timezone

from django_account.accounts.models import Account
from django_account.notifications import sms
from django_account.notifications.models import Delivery
from django_account.tokens.models import MAX_TRIES, Token
from tests.api.account.messages import (
    URL,
    mailed_code,
    mailed_link,
    secret_in,
    texted_code,
)
from tests.client import PASSWORD, ApiClient, assert_error

pytestmark = pytest.mark.django_db(transaction=True)

EMAIL = "ada@example.org"
PHONE = "+16308520394"


@pytest.fixture(autouse=True)
def empty_outbox() -> None:
    mail.outbox.clear()
    sms.outbox.clear()


def magic_url(client: ApiClient, **body: Any) -> Any:
    return client.post(
        "/account/tokens/magic-url", {"userId": "unique()", "email": EMAIL, "url": URL, **body}
    )


def email_code(client: ApiClient, **body: Any) -> Any:
    return client.post("/account/tokens/email", {"userId": "unique()", "email": EMAIL, **body})


def phone_code(client: ApiClient, **body: Any) -> Any:
    return client.post("/account/tokens/phone", {"userId": "unique()", "phone": PHONE, **body})


def exchange(client: ApiClient, user_id: str, secret: str, path: str = "token") -> Any:
    call = client.post if path == "token" else client.put
    return call(f"/account/sessions/{path}", {"userId": user_id, "secret": secret})


class TestCreateMagicURLToken:
    def test_new_address_makes_an_account_and_sends_a_link(self, guest: ApiClient) -> None:
        body = magic_url(guest, userId="ada-1").json()
        assert (body["userId"], body["secret"], body["phrase"]) == ("ada-1", "", "")
        account = Account.objects.get()
        assert (account.email, account.email_verified) == (EMAIL, False)
        assert list(account.targets.values_list("identifier", flat=True)) == [EMAIL]
        assert mail.outbox[0].to == [EMAIL]

    def test_the_link_keeps_the_urls_own_query_and_fragment(self, guest: ApiClient) -> None:
        body = magic_url(guest, userId="ada-1").json()
        link = urlsplit(mailed_link())
        query = parse_qs(link.query)
        assert (link.netloc, link.path, link.fragment) == ("localhost:3000", "/welcome", "top")
        assert list(query) == ["next", "userId", "secret", "expire", "project"]
        assert (query["userId"], query["expire"]) == (["ada-1"], [body["expire"]])
        assert "%3A" in link.query
        assert re.fullmatch(r"[0-9a-f]{64}", query["secret"][0])

    def test_same_named_values_are_overwritten_in_place(self, guest: ApiClient) -> None:
        url = "http://localhost/?tag=1&userId=me&tag=2&userId=you&expire=&z"
        body = magic_url(guest, url=url).json()
        query = parse_qsl(urlsplit(mailed_link()).query, keep_blank_values=True)
        names = ["tag", "userId", "tag", "expire", "z", "secret", "project"]
        assert [name for name, _ in query] == names
        given = [("userId", body["userId"]), ("expire", body["expire"]), ("tag", "1"), ("tag", "2")]
        assert set(given) <= set(query)

    @pytest.mark.parametrize(
        ("url", "start"),
        [
            ("appwrite-callback-demo://", "appwrite-callback-demo://?userId="),
            ("appwrite-callback-demo://#top", "appwrite-callback-demo://?userId="),
            ("exp://[::::]:19000/x", "exp://[::::]:19000/x?userId="),
            ("http://localhost/\u00e4?q=%ff", "http://localhost/%C3%A4?q=%FF&userId="),
            ("http://localhost/\x85\u2028\u202e", "http://localhost/%C2%85%E2%80%A8%E2%80%AE?"),
            ('http://localhost/"<a>', "http://localhost/%22%3Ca%3E?"),
        ],
    )
    def test_links_of_unusual_urls(self, guest: ApiClient, url: str, start: str) -> None:
        assert magic_url(guest, url=url).status_code == 201
        link = mailed_link()
        assert link.startswith(start)
        assert link.isascii()

    def test_known_address_uses_its_account_whatever_id_is_asked_for(self, ada: ApiClient) -> None:
        body = magic_url(ApiClient(), userId="another").json()
        assert body["userId"] == ada.account["$id"]  # type: ignore[attr-defined]

    def test_address_in_another_case(self, ada: ApiClient) -> None:
        assert (
            magic_url(ApiClient(), email="ADA@Example.ORG").json()["userId"]
            == (
                ada.account["$id"]  # type: ignore[attr-defined]
            )
        )

    def test_site_user_without_an_account_is_adopted(self, guest: ApiClient) -> None:
        user = User.objects.create_user("old-hand", EMAIL, PASSWORD)
        body = magic_url(guest).json()
        assert Account.objects.get(public_id=body["userId"]).user_id == user.pk

    def test_lives_an_hour(self, guest: ApiClient) -> None:
        with time_machine.travel("2026-01-02T03:04:05Z", tick=False):
            assert magic_url(guest).json()["expire"] == "2026-01-02T04:04:05.000+00:00"

    def test_a_server_sees_the_secret_of_the_link(self, server: ApiClient) -> None:
        assert magic_url(server).json()["secret"] == secret_in(mailed_link())

    def test_phrase_on_request(self, guest: ApiClient) -> None:
        phrase = magic_url(guest, phrase=True).json()["phrase"]
        assert re.fullmatch(r"[A-Z][a-z]+ [a-z]+", phrase)
        assert phrase in str(mail.outbox[0].body)

    def test_no_phrase_otherwise(self, guest: ApiClient) -> None:
        magic_url(guest)
        assert "security phrase" not in str(mail.outbox[0].body).lower()

    def test_without_url_the_link_leads_to_our_own_page(self, guest: ApiClient) -> None:
        guest.post("/account/tokens/magic-url", {"userId": "unique()", "email": EMAIL})
        link = urlsplit(mailed_link())
        assert (link.netloc, link.path) == ("testserver", "/v1/pages/magic-url")

    def test_without_url_behind_a_proxy_that_ends_https(
        self, guest: ApiClient, project: Callable[..., None], settings: Any
    ) -> None:
        settings.ALLOWED_HOSTS = ["testserver"]
        project(TRUSTED_PROXIES=1)
        body = {"userId": "unique()", "email": EMAIL}
        guest.post("/account/tokens/magic-url", body, X_Forwarded_Proto="https")
        assert mailed_link().startswith("https://testserver/v1/pages/magic-url?userId=")

    def test_without_url_behind_a_forged_host(self, guest: ApiClient) -> None:
        body = {"userId": "unique()", "email": EMAIL}
        response = guest.post("/account/tokens/magic-url", body, Host="evil.example")
        assert_error(response, 400, "general_argument_invalid")
        assert not mail.outbox

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "localhost/x",
            "//localhost/x",
            "https://evil.example/",
            "https://localhost.evil.example/",
            "https://localhost@evil.example/",
            "https://evil.example\\@localhost/",
            "https://localhost\\@evil.example/",
            "https://evil.example#@localhost/",
            "http://[::1].evil.example/",
            "http://127.0.0.1.evil.example/",
            "http://127.0.0.2/",
            "http://localhost%2eevil.example/",
            "http://local\thost/",
            "http://localhost\r\nSet-Cookie: a=b",
            "http:localhost/",
            "http:///localhost/",
            "javascript:alert(1)//localhost",
            "data:text/html,localhost",
            "ftp://localhost/",
            "appwrite-callback-other://",
            "http://\u24dbocalhost/",
            "\x00http://localhost/",
            "http://localhost/\ud800",
            "http://localhost/?q=\udfff",
            "http://[::ffff:127.0.0.1]/",
            "http://[0:0:0:0:0:0:0:1]/",
            "http://2130706433/",
            "http://localhost./",
            "http://localhost:80@evil.example/",
            "http://localhost;evil.example/",
            "http://localho\u017ft/",
            "blob:http://localhost/",
            "view-source:http://localhost/",
            "intent://localhost#Intent;scheme=http;end",
            7,
            ["http://localhost/"],
        ],
    )
    def test_hostile_url(self, guest: ApiClient, url: Any) -> None:
        body = assert_error(magic_url(guest, url=url), 400, "general_argument_invalid")
        assert body["message"].startswith("Invalid `url` param:")
        assert not Account.objects.exists()
        assert not mail.outbox

    @pytest.mark.parametrize(
        "url",
        [
            "http://localhost/",
            "https://localhost:8443/a?b=c",
            "http://127.0.0.1:1/",
            "http://[::1]:3000/",
            "appwrite-callback-demo://",
            "exp://192.168.0.1:19000",
        ],
    )
    def test_own_url(self, guest: ApiClient, url: str) -> None:
        assert magic_url(guest, url=url).status_code == 201

    def test_old_path(self, guest: ApiClient) -> None:
        body = {"userId": "unique()", "email": EMAIL, "url": URL}
        assert guest.post("/account/sessions/magic-url", body).status_code == 201

    def test_signed_in_caller(self, ada: ApiClient) -> None:
        assert magic_url(ada).status_code == 201

    def test_id_of_somebody_else(self, ada: ApiClient) -> None:
        taken = ada.account["$id"]  # type: ignore[attr-defined]
        response = magic_url(ApiClient(), userId=taken, email="bob@example.org")
        assert_error(response, 409, "user_already_exists")

    def test_users_limit(self, guest: ApiClient, project: Callable[..., None]) -> None:
        project(USERS_LIMIT=1)
        magic_url(guest)
        response = magic_url(guest, email="bob@example.org")
        assert_error(response, 400, "user_count_exceeded")
        assert magic_url(guest).status_code == 201

    def test_switched_off(self, guest: ApiClient, project: Callable[..., None]) -> None:
        project(AUTH_METHODS={"magic-url": False})
        assert_error(magic_url(guest), 501, "user_auth_method_unsupported")

    def test_site_that_sends_no_mail(self, guest: ApiClient, settings: Any) -> None:
        backend = "django.core.mail.backends.dummy.EmailBackend"
        if hasattr(settings, "MAILERS"):
            settings.MAILERS = {"default": {"BACKEND": backend}}
        else:
            settings.EMAIL_BACKEND = backend
        assert_error(magic_url(guest), 503, "general_smtp_disabled")
        assert not Account.objects.exists()


class TestCreateEmailToken:
    def test_sends_six_digits(self, guest: ApiClient) -> None:
        body = email_code(guest).json()
        assert body["secret"] == ""
        assert exchange(guest, body["userId"], mailed_code()).status_code == 201

    def test_lives_fifteen_minutes(self, guest: ApiClient) -> None:
        with time_machine.travel("2026-01-02T03:04:05Z", tick=False):
            assert email_code(guest).json()["expire"] == "2026-01-02T03:19:05.000+00:00"

    def test_a_server_sees_the_code(self, server: ApiClient) -> None:
        assert email_code(server).json()["secret"] == mailed_code()

    def test_outstanding_codes_are_all_valid(self, guest: ApiClient) -> None:
        user_id = email_code(guest).json()["userId"]
        first = mailed_code()
        email_code(guest)
        assert exchange(guest, user_id, first).status_code == 201

    def test_switched_off(self, guest: ApiClient, project: Callable[..., None]) -> None:
        project(AUTH_METHODS={"email-otp": False})
        assert_error(email_code(guest), 501, "user_auth_method_unsupported")

    def test_a_code_already_issued_still_works_when_switched_off(
        self, guest: ApiClient, project: Callable[..., None]
    ) -> None:
        user_id = email_code(guest).json()["userId"]
        project(AUTH_METHODS={"email-otp": False})
        assert exchange(guest, user_id, mailed_code()).status_code == 201

    @pytest.mark.parametrize(
        ("header", "param", "subject"),
        [
            ("de", None, "Einmalcode für die Anmeldung bei demo"),
            ("zh-tw", None, "demo 登入一次性驗證碼"),
            ("de", "fr", "Code à usage unique pour la connexion à demo"),
            ("de", "", "Einmalcode für die Anmeldung bei demo"),
            ("xx", None, "OTP for demo Login"),
            ("de", "xx", "OTP for demo Login"),
            ("de", 7, "Einmalcode für die Anmeldung bei demo"),
        ],
    )
    def test_language(self, guest: ApiClient, header: str, param: Any, subject: str) -> None:
        """The parameter counts, else the header; an unknown language is the site's own."""
        body = {"userId": "unique()", "email": EMAIL, "locale": param}
        response = guest.post("/account/tokens/email", body, X_Appwrite_Locale=header)
        assert response.status_code == 201
        assert mail.outbox[-1].subject == subject


class TestCreatePhoneToken:
    def test_new_number_makes_an_account_and_sends_a_code(self, guest: ApiClient) -> None:
        body = phone_code(guest, userId="ada-1").json()
        assert (body["userId"], body["secret"], body["phrase"]) == ("ada-1", "", "")
        account = Account.objects.get()
        assert (account.email, account.phone, account.phone_verified) == (None, PHONE, False)
        assert sms.outbox[0].to == PHONE
        assert exchange(guest, "ada-1", texted_code()).status_code == 201

    def test_known_number(self, guest: ApiClient) -> None:
        first, second = phone_code(guest).json(), phone_code(guest).json()
        assert first["userId"] == second["userId"]

    def test_mock_number_has_its_own_code_and_gets_no_sms(
        self, guest: ApiClient, project: Callable[..., None]
    ) -> None:
        project(MOCK_NUMBERS={PHONE: "424242"})
        user_id = phone_code(guest).json()["userId"]
        assert not sms.outbox
        assert_error(exchange(guest, user_id, "242424"), 401, "user_invalid_token")
        assert exchange(guest, user_id, "424242").status_code == 201

    def test_site_that_sends_no_sms(self, guest: ApiClient, project: Callable[..., None]) -> None:
        project(SMS_BACKEND="")
        assert_error(phone_code(guest), 503, "general_phone_disabled")

    def test_old_path(self, guest: ApiClient) -> None:
        body = {"userId": "unique()", "phone": PHONE}
        assert guest.post("/account/sessions/phone", body).status_code == 201


class TestCreateSession:
    @pytest.fixture(params=["token", "magic-url", "phone"])
    def path(self, request: Any) -> str:
        return str(request.param)

    def test_each_path_takes_each_kind(self, guest: ApiClient, path: str) -> None:
        user_id = email_code(guest).json()["userId"]
        response = exchange(guest, user_id, mailed_code(), path)
        assert response.status_code == 201
        assert guest.get("/account").json()["$id"] == user_id

    def test_magic_url_session(self, guest: ApiClient) -> None:
        user_id = magic_url(guest).json()["userId"]
        session = exchange(guest, user_id, secret_in(mailed_link())).json()
        assert (session["provider"], session["factors"]) == ("magic-url", ["email"])
        assert guest.get("/account").json()["emailVerification"] is True

    def test_email_code_session(self, guest: ApiClient) -> None:
        user_id = email_code(guest).json()["userId"]
        session = exchange(guest, user_id, mailed_code()).json()
        assert (session["provider"], session["factors"]) == ("token", ["email"])
        assert guest.get("/account").json()["emailVerification"] is True

    def test_phone_code_session(self, guest: ApiClient) -> None:
        user_id = phone_code(guest).json()["userId"]
        session = exchange(guest, user_id, texted_code()).json()
        assert (session["provider"], session["factors"]) == ("phone", ["phone"])
        assert guest.get("/account").json()["phoneVerification"] is True

    def test_second_use(self, guest: ApiClient, path: str) -> None:
        user_id = magic_url(guest).json()["userId"]
        secret = secret_in(mailed_link())
        assert exchange(ApiClient(), user_id, secret, path).status_code == 201
        assert_error(exchange(ApiClient(), user_id, secret, path), 401, "user_invalid_token")

    def test_expired(self, guest: ApiClient) -> None:
        user_id = email_code(guest).json()["userId"]
        with time_machine.travel(timezone.now() + timedelta(minutes=15, seconds=1), tick=False):
            assert_error(exchange(guest, user_id, mailed_code()), 401, "user_invalid_token")

    def test_wrong_secret_unknown_person_and_somebody_elses_look_the_same(
        self, guest: ApiClient
    ) -> None:
        user_id = email_code(guest).json()["userId"]
        code = mailed_code()
        other = email_code(guest, email="bob@example.org").json()["userId"]
        wrong = f"{(int(code) + 1) % 1_000_000:06d}"
        answers = [
            exchange(guest, user_id, wrong),
            exchange(guest, "nobody", code),
            exchange(guest, other, code),
            exchange(guest, "unique()", code),
        ]
        bodies = [assert_error(answer, 401, "user_invalid_token") for answer in answers]
        assert all(body == bodies[0] for body in bodies)

    @pytest.mark.parametrize("kind", ["code", "link"])
    def test_no_secret_and_a_wrong_one_are_the_same_work(
        self, guest: ApiClient, django_assert_num_queries: Any, kind: str
    ) -> None:
        user_id = (email_code if kind == "code" else magic_url)(guest).json()["userId"]
        other = guest.post("/account", {"userId": "x", "email": "x@x.org", "password": PASSWORD})
        secret = mailed_code() if kind == "code" else secret_in(mailed_link())
        wrong = ("1" if secret[0] == "0" else "0") + secret[1:]
        # A look, a try claimed from the token or from none, and the entry in the activity log.
        for who, guess in (
            (user_id, wrong),
            ("nobody", secret),
            (other.json()["$id"], secret),
        ):
            with django_assert_num_queries(3):
                assert_error(exchange(guest, who, guess), 401, "user_invalid_token")
        with (
            time_machine.travel(timezone.now() + timedelta(hours=2), tick=False),
            django_assert_num_queries(3),
        ):
            assert_error(exchange(guest, user_id, secret), 401, "user_invalid_token")

    def test_what_is_no_code_is_no_guess_at_one(self, guest: ApiClient) -> None:
        user_id = email_code(guest).json()["userId"]
        for guess in ("1", "12345", "1234567", "abcdef", "\u0661" * 7, "0" * 64):
            assert_error(exchange(guest, user_id, guess), 401, "user_invalid_token")
        assert Token.objects.get().tries == 0
        assert exchange(guest, user_id, mailed_code()).status_code == 201

    def test_five_wrong_guesses_kill_a_code(self, guest: ApiClient) -> None:
        user_id = email_code(guest).json()["userId"]
        code = mailed_code()
        wrong = f"{(int(code) + 1) % 1_000_000:06d}"
        for _ in range(MAX_TRIES):
            assert_error(exchange(guest, user_id, wrong), 401, "user_invalid_token")
        assert_error(exchange(guest, user_id, code), 401, "user_invalid_token")

    def test_four_wrong_guesses_do_not(self, guest: ApiClient) -> None:
        user_id = email_code(guest).json()["userId"]
        code = mailed_code()
        wrong = f"{(int(code) + 1) % 1_000_000:06d}"
        for _ in range(MAX_TRIES - 1):
            exchange(guest, user_id, wrong)
        assert exchange(guest, user_id, code).status_code == 201

    def test_a_blocked_person_uses_nothing_up(self, guest: ApiClient) -> None:
        user_id = magic_url(guest).json()["userId"]
        secret = secret_in(mailed_link())
        User.objects.update(is_active=False)
        assert_error(exchange(guest, user_id, secret), 403, "user_blocked")
        User.objects.update(is_active=True)
        assert exchange(guest, user_id, secret).status_code == 201

    def test_a_blocked_persons_right_code_is_no_wrong_guess(self, guest: ApiClient) -> None:
        user_id = email_code(guest).json()["userId"]
        User.objects.update(is_active=False)
        for _ in range(MAX_TRIES + 1):
            assert_error(exchange(guest, user_id, mailed_code()), 403, "user_blocked")
        User.objects.update(is_active=True)
        assert exchange(guest, user_id, mailed_code()).status_code == 201

    def test_verification_and_recovery_secrets_do_not_sign_in(self, ada: ApiClient) -> None:
        ada.post("/account/verifications/email", {"url": URL})
        secret = secret_in(mailed_link())
        user_id = ada.account["$id"]  # type: ignore[attr-defined]
        assert_error(exchange(ApiClient(), user_id, secret), 401, "user_invalid_token")
        ada.post("/account/recovery", {"email": EMAIL, "url": URL})
        secret = secret_in(mailed_link())
        assert_error(exchange(ApiClient(), user_id, secret), 401, "user_invalid_token")

    def test_changing_the_address_kills_what_was_sent_to_the_old_one(self, ada: ApiClient) -> None:
        magic_url(ApiClient())
        secret = secret_in(mailed_link())
        user_id = ada.account["$id"]  # type: ignore[attr-defined]
        ada.patch("/account/email", {"email": "new@example.org", "password": PASSWORD})
        assert_error(exchange(ApiClient(), user_id, secret), 401, "user_invalid_token")
        assert ada.get("/account").json()["emailVerification"] is False

    def test_signed_in_already(self, ada: ApiClient) -> None:
        assert_error(exchange(ada, "x", "y"), 401, "user_session_already_exists")

    def test_a_server_sees_the_secret_of_the_session(self, server: ApiClient) -> None:
        body = email_code(server).json()
        session = exchange(server, body["userId"], body["secret"]).json()
        assert ApiClient(session=session["secret"]).get("/account").status_code == 200

    @pytest.mark.parametrize("secret", ["", "x" * 257, 123456, None, "\x00"])
    def test_bad_secret(self, guest: ApiClient, secret: Any) -> None:
        assert_error(exchange(guest, "ada", secret), 400, "general_argument_invalid")


class TestAtRest:
    def test_neither_token_nor_delivery_holds_a_secret(self, guest: ApiClient) -> None:
        magic_url(guest)
        link_secret = secret_in(mailed_link())
        email_code(guest)
        code = mailed_code()
        rows = str(list(Token.objects.values())) + str(list(Delivery.objects.values()))
        assert link_secret not in rows
        assert f"'{code}'" not in rows
        assert code not in [row.payload for row in Delivery.objects.all()]
        assert Delivery.objects.exclude(payload="").count() == 0

    def test_a_code_is_not_a_plain_hash(self, guest: ApiClient) -> None:
        import hashlib

        email_code(guest)
        plain = hashlib.sha256(mailed_code().encode()).hexdigest()
        assert Token.objects.get().secret_digest != plain

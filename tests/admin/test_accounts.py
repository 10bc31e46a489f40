"""People in the admin: the list, the page of one, its form."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry as AdminEntry
from django.contrib.contenttypes.models import ContentType
from django.core import mail
from django.test import Client

from django_account import signals
from django_account.accounts.models import Account
from django_account.accounts.services import create_account
from django_account.admin.paging import CappedPaginator
from django_account.administration import services
from django_account.audit.models import LogEntry
from django_account.core.clients import ClientInfo
from django_account.identities.models import Identity
from django_account.mfa.models import Authenticator
from django_account.mfa.services import create_recovery_codes
from django_account.selfservice import profile
from django_account.selfservice.passwordless import Requester
from django_account.selfservice.recovery import create_recovery
from django_account.sessions.services import create_session
from django_account.targets.models import Target
from tests.admin.staff import LIST, change, form_of, staff

pytestmark = pytest.mark.django_db(transaction=True)

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1"
)


@pytest.fixture
def ada() -> Account:
    return create_account(
        account_id="ada", email="ada@example.org", password="correct horse", name="Ada"
    )


def shown(client: Client, query: str = "") -> list[str]:
    """The ids that the list shows, in order."""
    response = client.get(LIST + query)
    assert response.status_code == 200
    return [account.public_id for account in response.context["cl"].result_list]


class TestList:
    def test_newest_first(self, admin_client: Client) -> None:
        create_account(account_id="a")
        create_account(account_id="b")
        assert shown(admin_client) == ["b", "a"]

    def test_what_it_tells(self, admin_client: Client, ada: Account) -> None:
        Identity.objects.create(account=ada, provider="github", provider_uid="1")
        services.update_phone(account=ada, phone="+14155550100")
        services.update_verification(account=ada, address_kind="email", verified=True)
        services.update_status(account=ada, is_active=False)
        services.update_mfa(account=ada, mfa=True)
        page = admin_client.get(LIST).content.decode()
        for fact in ("Ada", "ada@example.org", "+14155550100", "github", "Blocked", "On"):
            assert f">{fact}<" in page or f">{fact} <" in page or f"{fact}</td>" in page, fact
        assert page.count('class="account-mark"') == 1

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("", ["mfa", "phone", "imp", "anon", "blocked", "mail", "hub"]),
            ("?status=blocked", ["blocked"]),
            ("?status=active", ["mfa", "phone", "imp", "anon", "mail", "hub"]),
            ("?verified=email", ["mail"]),
            ("?verified=no-email", ["blocked"]),
            ("?verified=phone", []),
            ("?verified=no-phone", ["phone"]),
            ("?mfa=on", ["mfa"]),
            ("?mfa=off", ["phone", "imp", "anon", "blocked", "mail", "hub"]),
            ("?provider=github", ["hub"]),
            ("?provider=google", []),
            ("?provider=nonsense", ["mfa", "phone", "imp", "anon", "blocked", "mail", "hub"]),
            ("?kind=anonymous", ["mfa", "imp", "anon"]),
            ("?kind=impersonator", ["imp"]),
            ("?kind=staff", []),
            ("?accessed_at__isnull=True", ["anon"]),
            ("?status=active&verified=email", ["mail"]),
        ],
    )
    def test_filters(
        self, admin_client: Client, project: Callable[..., None], query: str, found: list[str]
    ) -> None:
        keys = {"client_id": "x", "client_secret": "x"}
        project(OAUTH2_PROVIDERS={"github": keys, "google": keys})
        hub = create_account(account_id="hub")
        Identity.objects.create(account=hub, provider="github", provider_uid="1")
        mailed = create_account(account_id="mail", email="m@example.org")
        services.update_verification(account=mailed, address_kind="email", verified=True)
        blocked = create_account(account_id="blocked", email="b@example.org")
        services.update_status(account=blocked, is_active=False)
        create_account(account_id="anon", by_server=True)
        services.update_impersonator(account=create_account(account_id="imp"), impersonator=True)
        create_account(account_id="phone", phone="+14155550100")
        services.update_mfa(account=create_account(account_id="mfa"), mfa=True)
        assert shown(admin_client, query) == found

    @pytest.mark.parametrize("most", [CappedPaginator.MAX_COUNT, 2], ids=["few", "many"])
    def test_filters_by_what_only_the_site_knows(
        self, admin_client: Client, monkeypatch: pytest.MonkeyPatch, most: int
    ) -> None:
        monkeypatch.setattr(CappedPaginator, "MAX_COUNT", most)
        for name, is_active, is_staff in (
            ("a", False, True),
            ("b", True, True),
            ("c", False, False),
            ("d", True, False),
        ):
            user = create_account(account_id=name).user
            type(user).objects.filter(pk=user.pk).update(is_active=is_active, is_staff=is_staff)
        assert shown(admin_client, "?status=blocked") == ["c", "a"]
        assert shown(admin_client, "?kind=staff&o=1") == ["a", "b"]
        assert shown(admin_client, "?status=blocked&kind=staff") == ["a"]

    @pytest.mark.parametrize(
        ("term", "found"),
        [
            ("ada", {"ada", "bob"}),
            ("ADA@example.org", {"ada"}),
            ("@example.org", {"ada", "bob"}),
            ("+14155550100", {"bob"}),
            ("5550100", {"bob"}),
            ("lovelace", {"ada"}),
            ("love ada", {"ada"}),
            ("label:vip", {"bob"}),
            ("label:vi", set()),
            ("nobody", set()),
            ("%", set()),
            ('"', set()),
            ("a" * 300, set()),
        ],
    )
    def test_search(self, admin_client: Client, term: str, found: set[str]) -> None:
        create_account(account_id="ada", email="ada@example.org", name="Ada Lovelace")
        bob = create_account(account_id="bob", email="nada@example.org", phone="+14155550100")
        services.update_labels(account=bob, labels=["vip"])
        response = admin_client.get(LIST, {"q": term})
        assert {each.public_id for each in response.context["cl"].result_list} == found

    def test_search_by_a_generated_id(self, admin_client: Client) -> None:
        account = create_account()
        create_account()
        assert shown(admin_client, f"?q={account.public_id}") == [account.public_id]

    @pytest.mark.parametrize(
        ("query", "order"),
        [
            ("?o=1", ["c", "a", "b"]),
            ("?o=-1", ["b", "a", "c"]),
            # Never seen comes first.
            ("?o=6", ["b", "c", "a"]),
            ("?o=-6", ["a", "c", "b"]),
            # No index has these.
            ("?o=2", ["c", "b", "a"]),
            ("?o=3.1", ["c", "b", "a"]),
            ("?o=x", ["c", "b", "a"]),
        ],
    )
    def test_orders(self, admin_client: Client, query: str, order: list[str]) -> None:
        first = create_account(account_id="a", name="Bea")
        create_account(account_id="b", name="Cleo", by_server=True)
        third = create_account(account_id="c", name="Ada")
        Account.objects.filter(pk=third.pk).update(accessed_at=first.accessed_at)
        Account.objects.filter(pk=first.pk).update(accessed_at=third.accessed_at)
        if query == "?o=3.1":
            order = ["c", "a", "b"]
        assert shown(admin_client, query) == order

    def test_costs_the_same_however_many(
        self,
        admin_client: Client,
        django_assert_num_queries: Callable[..., Any],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(CappedPaginator, "MAX_COUNT", 10)
        for number in range(12):
            account = create_account(email=f"p{number}@example.org")
            Identity.objects.create(account=account, provider="github", provider_uid=str(number))
        # Session, user; how many; the accounts with their users; their providers.
        with django_assert_num_queries(5) as captured:
            response = admin_client.get(LIST)
        assert response.context["cl"].result_count == 10
        counts = [query["sql"] for query in captured if "COUNT(" in query["sql"]]
        assert len(counts) == 1
        assert "LIMIT 10" in counts[0]

    def test_searching_costs_one_look_more(
        self, admin_client: Client, ada: Account, django_assert_num_queries: Callable[..., Any]
    ) -> None:
        with django_assert_num_queries(6):
            admin_client.get(f"{LIST}?q=da")

    @pytest.mark.parametrize(
        "query", ["?p=0", "?p=x", "?accessed_at__gte=x", "?status=x", "?q=%00", "?e=1", "?o=999"]
    )
    def test_bad_questions(self, admin_client: Client, ada: Account, query: str) -> None:
        assert admin_client.get(LIST + query).status_code in (200, 302)


class TestPage:
    @pytest.fixture
    def full(self, ada: Account) -> Account:
        """Ada, with one of everything."""
        asked = Requester(client=ClientInfo(), locale="en")
        create_session(
            account=ada,
            provider="email",
            factors=["password"],
            client=ClientInfo("192.0.2.7", IPHONE),
        )
        Identity.objects.create(
            account=ada, provider="github", provider_uid="583231", provider_email="ada@hub.example"
        )
        device, _ = Authenticator.new(ada.user)
        device.confirmed = True
        device.save()
        create_recovery_codes(account=ada)
        Target.objects.create(
            account=ada, provider_type="push", identifier="p" * 12 + "secret", name="Pixel"
        )
        create_recovery(email="ada@example.org", url="http://localhost/", requester=asked)
        return ada

    def test_tells_everything_and_no_secret(self, admin_client: Client, full: Account) -> None:
        page = admin_client.get(change(full)).content.decode()
        for fact in (
            "192.0.2.7",
            "Mobile Safari, iOS, Apple, iPhone",
            "583231",
            "ada@hub.example (unverified)",
            "Authenticator app",
            "6 left",
            "Pixel",
            "pppppppppppp…",
            "recovery",
            "session.create",
            "Sent",
            full.user.get_username(),
        ):
            assert fact in page, fact
        session = full.sessions.get()
        hidden = [
            "ppppsecret",
            full.user.password,
            session.secret_digest,
            full.tokens.get().secret_digest,
            Authenticator.objects.get().seed,
            *(code.sealed for code in full.recovery_codes.all()),
            *(code.code for code in full.recovery_codes.all()),
        ]
        (message,) = mail.outbox
        secret = message.body.partition("secret=")[2].split("&")[0]
        assert len(secret) > 20
        for each in (*hidden, secret):
            assert each not in page

    def test_costs_the_same_however_much(
        self,
        admin_client: Client,
        full: Account,
        django_assert_num_queries: Callable[..., Any],
    ) -> None:
        for number in range(30):
            create_session(
                account=full, provider="email", factors=["password"], client=ClientInfo()
            )
            Identity.objects.create(account=full, provider="google", provider_uid=str(number))
        # Django looks its content types up once.
        ContentType.objects.get_for_model(Account)
        # Session, user; the account with its user; sessions, identities, authenticators, recovery
        # codes, wrong answers, targets, one-time secrets, messages, the log.
        with django_assert_num_queries(12):
            page = admin_client.get(change(full)).content.decode()
        assert "There are more." in page

    def test_nobody(self, admin_client: Client) -> None:
        for gone in ("0", "x", "99999999999999999999999", "a/b"):
            assert admin_client.get(f"{LIST}{gone}/change/").status_code == 302

    def test_the_sites_page_of_the_user(self, admin_client: Client, ada: Account) -> None:
        link = f'href="/admin/auth/user/{ada.user_id}/change/"'
        assert link in admin_client.get(change(ada)).content.decode()
        assert link not in staff("view_account").get(change(ada)).content.decode()

    def test_log_and_messages_need_their_own_permissions(self, ada: Account) -> None:
        page = staff("view_account").get(change(ada)).content.decode()
        assert "Sessions" in page
        assert "session.create" not in page
        assert "user.create" not in page
        assert ">Messages<" not in page

    def test_links_to_the_whole_log(self, admin_client: Client, ada: Account) -> None:
        page = admin_client.get(change(ada)).content.decode()
        assert 'href="/admin/django_account/logentry/?q=ada"' in page

    def test_a_new_one_has_no_tables(self, admin_client: Client) -> None:
        assert b"Sessions" not in admin_client.get(f"{LIST}add/").content

    def test_stays_out_of_the_index_what_has_no_page(self, admin_client: Client) -> None:
        index = admin_client.get("/admin/").content.decode()
        assert LIST in index
        for model in ("identity", "authenticator", "token", "session", "target"):
            assert f"/django_account/{model}/" not in index


def changes(client: Client, account: Account, **values: Any) -> Any:
    response = client.post(change(account), form_of(account, **values))
    assert response.status_code == 302, response.context["adminform"].form.errors
    return Account.objects.with_user().get(pk=account.pk)


def refusals(client: Client, account: Account, **values: Any) -> dict[str, list[str]]:
    before = Account.objects.filter(pk=account.pk).values().get()
    entries = LogEntry.objects.count()
    response = client.post(change(account), form_of(account, **values))
    assert response.status_code == 200
    assert Account.objects.filter(pk=account.pk).values().get() == before
    assert (LogEntry.objects.count(), AdminEntry.objects.count()) == (entries, 0)
    errors: dict[str, list[str]] = response.context["adminform"].form.errors
    return errors


class TestChange:
    def test_profile(self, admin_client: Client, ada: Account) -> None:
        services.update_verification(account=ada, address_kind="email", verified=True)
        told: list[str] = []

        def note(attribute: str, **kwargs: Any) -> None:
            told.append(attribute)

        signals.account_updated.connect(note)
        now = changes(
            admin_client,
            ada,
            name="Grace",
            email="Grace@Example.org",
            phone="+14155550100",
            labels="vip, beta vip",
            prefs='{"theme": "dark"}',
            mfa_enabled="on",
        )
        signals.account_updated.disconnect(note)
        assert (now.name, now.email, now.phone) == ("Grace", "grace@example.org", "+14155550100")
        assert (now.labels, now.prefs) == (["vip", "beta"], {"theme": "dark"})
        assert now.mfa_enabled
        assert not now.email_verified
        # As by the API: to the user, to the targets, by signals.
        assert now.user.email == "grace@example.org"
        assert {target.identifier for target in now.targets.all()} == {now.email, now.phone}
        assert told == ["name", "email", "phone", "labels", "prefs", "mfa"]

    def test_is_in_both_logs(self, admin_client: Client, admin_user: Any, ada: Account) -> None:
        LogEntry.objects.all().purge()
        changes(admin_client, ada, name="Grace")
        assert [entry.event for entry in LogEntry.objects.all()] == ["user.update"]
        noted = AdminEntry.objects.get()
        assert (noted.user, noted.object_repr) == (admin_user, "ada")
        assert noted.get_change_message() == "Changed Name."
        history = admin_client.get(f"{LIST}{ada.pk}/history/").content.decode()
        assert "Changed Name." in history

    def test_nothing_changed_tells_nobody(self, admin_client: Client, ada: Account) -> None:
        LogEntry.objects.all().purge()
        before = Account.objects.values().get()
        # In another spelling it is the same address.
        changes(admin_client, ada, email="ADA@example.org")
        assert Account.objects.values().get() == before
        assert not LogEntry.objects.exists()

    def test_addresses_are_taken_away(self, admin_client: Client, ada: Account) -> None:
        services.update_phone(account=ada, phone="+14155550100")
        now = changes(admin_client, ada, email="", phone="")
        assert (now.email, now.phone, now.user.email) == (None, None, "")
        assert not now.targets.exists()

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("email", "bob@example.org"),
            ("email", "nobody"),
            ("email", "x@users.invalid"),
            ("email", "extra@example.org"),
            ("phone", "+14155550199"),
            ("phone", "0301234"),
            ("phone", "+999"),
            ("name", "x" * 129),
            ("name", "x\x00"),
            ("labels", "über"),
            ("labels", "x" * 37),
            ("labels", " ".join(f"x{number}" for number in range(1001))),
            ("prefs", "[]"),
            ("prefs", "1"),
            ("prefs", "{"),
            ("prefs", '{"a": NaN}'),
            ("prefs", '{"a": "\\u0000"}'),
            ("prefs", '{"a": "\\ud800"}'),
            ("prefs", json.dumps({"a": "x" * 65_536})),
            ("prefs", '{"a": ' + "[" * 31 + "]" * 31 + "}"),
            ("prefs", "[" * 100_000),
            ("prefs", '{"a": ' + "9" * 5000 + "}"),
        ],
    )
    def test_refusals(self, admin_client: Client, ada: Account, field: str, value: str) -> None:
        bob = create_account(account_id="bob", email="bob@example.org", phone="+14155550199")
        Target.objects.create(account=bob, provider_type="email", identifier="extra@example.org")
        assert field in refusals(admin_client, ada, **{field: value})

    def test_one_refusal_saves_nothing(self, admin_client: Client, ada: Account) -> None:
        create_account(email="bob@example.org")
        errors = refusals(
            admin_client, ada, name="Grace", prefs='{"a": 1}', email="bob@example.org"
        )
        assert list(errors) == ["email"]

    @pytest.mark.parametrize("left", [[], ["name"], ["name", "email", "phone", "labels"]])
    def test_half_a_form_empties_nothing(
        self, admin_client: Client, ada: Account, left: list[str]
    ) -> None:
        services.update_mfa(account=ada, mfa=True)
        before = Account.objects.values().get()
        whole = form_of(ada, name="Grace")
        page = admin_client.post(change(ada), {name: whole[name] for name in left})
        assert set(page.context["adminform"].form.errors) == {
            *("name", "email", "phone", "labels", "prefs")
        } - set(left)
        assert Account.objects.values().get() == before

    def test_what_the_person_changes_meanwhile_stays(
        self, admin_client: Client, ada: Account
    ) -> None:
        """The page was opened before, and staff change something else."""
        page = admin_client.get(change(ada))
        form = page.context["adminform"].form
        shown = {
            field.html_initial_name: re.search(
                rf'name="{field.html_initial_name}" value="([^"]*)"', page.content.decode()
            )
            for field in form
        }
        kept = {name: unescape(found[1]) if found else "" for name, found in shown.items()}
        assert kept["initial-email"] == "ada@example.org"
        services.update_email(account=ada, email="lovelace@example.org")
        services.update_verification(account=ada, address_kind="email", verified=True)
        profile.update_prefs(account=ada, prefs={"theme": "dark"})
        services.update_mfa(account=ada, mfa=True)
        sent = {**form_of(ada), "email": "ada@example.org", "prefs": "{}", "name": "Grace"}
        del sent["mfa_enabled"]
        now = changes(admin_client, ada, **sent, **kept)
        assert (now.name, now.email, now.prefs) == (
            "Grace",
            "lovelace@example.org",
            {"theme": "dark"},
        )
        assert (now.email_verified, now.mfa_enabled) == (True, True)

    def test_rules_for_addresses(
        self, admin_client: Client, ada: Account, project: Callable[..., None]
    ) -> None:
        project(BLOCK_EMAILS=["disposable"])
        errors = refusals(admin_client, ada, email="x@mailinator.com")
        assert "email" in errors

    def test_a_refused_form_shows_the_account_as_it_is(
        self, admin_client: Client, ada: Account
    ) -> None:
        page = admin_client.post(change(ada), form_of(ada, email="", phone="x"))
        assert "Send recovery" in page.content.decode()

    def test_read_only_fields_are(self, admin_client: Client, ada: Account) -> None:
        changes(
            admin_client,
            ada,
            public_id="eve",
            email_verified="on",
            password="x",
            status="Blocked",
            user="1",
            password_reset_required="on",
        )
        now = Account.objects.with_user().get()
        assert (now.public_id, now.email_verified, now.is_active) == ("ada", False, True)
        assert now.user.check_password("correct horse")

    def test_no_field_sets_a_password(self, admin_client: Client, ada: Account) -> None:
        for url in (change(ada), f"{LIST}add/"):
            page = admin_client.get(url).content.decode()
            assert 'type="password"' not in page
            assert 'name="password' not in page


class TestAdd:
    def add(self, client: Client, **values: Any) -> Any:
        return client.post(f"{LIST}add/", {"name": "", "email": "", "phone": "", **values})

    def test_is_invited(self, admin_client: Client, admin_user: Any) -> None:
        response = self.add(admin_client, email="Ada@Example.org", name="Ada", invite="on")
        account = Account.objects.with_user().get()
        assert response["Location"] == LIST
        assert (account.email, account.name, account.has_password) == (
            "ada@example.org",
            "Ada",
            False,
        )
        assert account.user.email == "ada@example.org"
        (message,) = mail.outbox
        assert message.to == ["Ada <ada@example.org>"]
        assert "/v1/pages/recovery" in message.body
        events = {entry.event for entry in LogEntry.objects.filter(mode="admin")}
        assert events == {"user.create", "recovery.create"}
        first, second = AdminEntry.objects.order_by("pk")
        assert {first.change_message, second.get_change_message()} == {"Recovery sent.", "Added."}
        assert {first.object_id, second.object_id} == {str(account.pk)}

    def test_is_not_invited(self, admin_client: Client) -> None:
        self.add(admin_client, email="ada@example.org")
        assert Account.objects.exists()
        assert mail.outbox == []

    def test_by_phone(self, admin_client: Client) -> None:
        self.add(admin_client, phone="+14155550100", invite="on")
        assert Account.objects.get().phone == "+14155550100"
        assert mail.outbox == []

    @pytest.mark.parametrize(
        "values", [{"email": "bob@example.org"}, {"phone": "+14155550199"}, {"email": "x"}]
    )
    def test_refusals(self, admin_client: Client, values: dict[str, str]) -> None:
        create_account(email="bob@example.org", phone="+14155550199")
        response = self.add(admin_client, **values, name="Ada", invite="on")
        assert response.status_code == 200
        assert response.context["adminform"].form.errors
        assert Account.objects.count() == 1
        assert mail.outbox == []
        assert not AdminEntry.objects.exists()

    def test_an_invitation_that_cannot_be_sent(self, admin_client: Client, settings: Any) -> None:
        dummy = "django.core.mail.backends.dummy.EmailBackend"
        if hasattr(settings, "MAILERS"):
            settings.MAILERS = {"default": {"BACKEND": dummy}}
        else:
            settings.EMAIL_BACKEND = dummy
        response = self.add(admin_client, email="ada@example.org", invite="on")
        assert response.status_code == 200
        assert response.context["adminform"].form.errors
        assert not Account.objects.exists()

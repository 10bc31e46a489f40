"""What staff do in the admin while the person, and other staff, are at work."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.client import PASSWORD
from tests.races.site import TIMEOUT, Person, Site, credential


@pytest.fixture(scope="module")
def site(run_site: Callable[..., Any]) -> Iterator[Site]:
    """A site that allows staff to act as people and ends no sessions for a new password, with a
    superuser."""
    with run_site(ADMIN_IMPERSONATION=True, INVALIDATE_SESSIONS=False) as site:
        site.manage(
            "shell",
            "-c",
            "from django.contrib.auth import get_user_model as model\n"
            f"model().objects.create_superuser('root', 'root@example.org', {PASSWORD!r})",
        )
        yield site


class Staff:
    """A superuser in a browser of their own."""

    def __init__(self, site: Site) -> None:
        self.address = f"http://127.0.0.1:{site.port}"
        self.browser = requests.Session()
        url = f"{self.address}/admin/login/"
        form = self.browser.get(url, timeout=TIMEOUT).text
        given = {"username": "root", "password": PASSWORD, "next": "/admin/"}
        answer = self.browser.post(url, given | self.token(form), timeout=TIMEOUT)
        assert answer.url.endswith("/admin/"), answer.text

    def token(self, form: str) -> dict[str, str]:
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
        assert found is not None, form
        return {"csrfmiddlewaretoken": found[1]}

    def prepare(self, pk: int, act: str, **values: str) -> Callable[[], requests.Response]:
        """Look at the page that asks; what is returned presses the button."""
        url = f"{self.address}/admin/django_account/account/{pk}/act/{act}/"
        given = self.token(self.browser.get(url, timeout=TIMEOUT).text)
        given |= {"confirmed": "x", **values}
        return partial(self.browser.post, url, given, timeout=TIMEOUT)

    def prepare_many(self, pks: list[str], act: str) -> Callable[[], requests.Response]:
        """Choose people in the list; what is returned confirms."""
        url = f"{self.address}/admin/django_account/account/"
        given: dict[str, Any] = self.token(self.browser.get(url, timeout=TIMEOUT).text)
        given |= {"action": act, "_selected_action": pks, "confirmed": "x"}
        return partial(self.browser.post, url, given, timeout=TIMEOUT)


def ask(site: Site, expression: str) -> Any:
    """The value of an expression on the site."""
    program = (
        "import json\n"
        "from django_account.models import *\n"
        "from django.contrib.auth import get_user_model\n"
        f"print(json.dumps({expression}))"
    )
    return json.loads(site.manage("shell", "-v0", "-c", program).splitlines()[-1])


def somebody(site: Site) -> tuple[str, int]:
    """A person's address and number."""
    email = f"somebody.{uuid4().hex}@example.org"
    assert site.guest.sign_up(email).status_code == 201
    return email, ask(site, f"Account.objects.get(email={email!r}).pk")


def test_a_new_password_is_required_as_they_sign_in(site: Site) -> None:
    email, pk = somebody(site)
    require = Staff(site).prepare(pk, "require_password")
    answers = site.together([*[partial(site.guest.sign_in, email)] * 8, require])
    assert answers[-1].status_code == 200
    assert {answer.status_code for answer in answers[:-1]} <= {201, 401}
    assert site.guest.sign_in(email).status_code == 401
    # Whoever knew the old password is signed in no more when the owner has a new one.
    recovered = (
        "from django_account.selfservice.recovery import *\n"
        "from django_account.selfservice.passwordless import Requester\n"
        "from django_account.core.clients import ClientInfo\n"
        "requester = Requester(client=ClientInfo(), locale='en')\n"
        f"issued = create_recovery_code(email={email!r}, phrase=False, requester=requester)\n"
        "complete_recovery(account_id=issued.token.account.public_id, secret=issued.secret,"
        " password='another horse', kind=Token.Kind.RECOVERY_CODE)"
    )
    site.manage("shell", "-v0", "-c", recovered)
    assert site.guest.sign_in(email, "another horse").status_code == 201
    for answer in answers[:-1]:
        if answer.status_code == 201:
            person = Person(site, credential(answer))
            assert person.call("GET", "/account").status_code == 401


def test_a_new_password_is_required_as_they_take_the_account_over(site: Site) -> None:
    email, pk = somebody(site)
    thieves = [site.guest.signed_in(email) for _ in range(6)]
    stolen = f"stolen.{email}"
    bodies = {
        "password": {"password": "stolen horse", "oldPassword": PASSWORD},
        "email": {"email": stolen, "password": PASSWORD},
    }
    takings = [
        partial(thief.call, "PATCH", f"/account/{attribute}", bodies[attribute])
        for thief, attribute in zip(thieves, ["password", "email"] * 3, strict=True)
    ]
    require = Staff(site).prepare(pk, "require_password")
    *_, required = site.together([*takings, require])
    assert required.status_code == 200
    for address in (email, stolen):
        for password in (PASSWORD, "stolen horse"):
            assert site.guest.sign_in(address, password).status_code == 401
    assert ask(site, f"Account.objects.get(pk={pk}).password_reset_required")
    sessions = [thief.call("GET", "/account").status_code for thief in thieves]
    assert sessions == [401] * 6


def test_they_are_blocked_as_they_sign_in(site: Site) -> None:
    email, pk = somebody(site)
    block = Staff(site).prepare(pk, "block")
    answers = site.together([*[partial(site.guest.sign_in, email)] * 8, block])
    assert answers[-1].status_code == 200
    assert {answer.status_code for answer in answers[:-1]} <= {201, 403}
    for answer in answers[:-1]:
        if answer.status_code == 201:
            person = Person(site, credential(answer))
            assert person.call("GET", "/account").status_code == 403
    assert site.guest.sign_in(email).status_code == 403


def test_two_members_of_staff_anonymise_as_they_sign_in(site: Site) -> None:
    email, pk = somebody(site)
    staff = [Staff(site).prepare(pk, "anonymise") for _ in range(2)]
    answers = site.together([*[partial(site.guest.sign_in, email)] * 6, *staff])
    assert {answer.status_code for answer in answers[-2:]} == {200}
    assert {answer.status_code for answer in answers[:-2]} <= {201, 401, 403}
    for answer in answers[:-2]:
        if answer.status_code == 201:
            assert Person(site, credential(answer)).call("GET", "/account").status_code == 401
    left = ask(
        site,
        f"[Account.objects.filter(email={email!r}).count(),"
        f" Session.objects.filter(account={pk}).count(),"
        f" Target.objects.filter(account={pk}).count(),"
        f" get_user_model().objects.filter(email={email!r}).count()]",
    )
    assert left == [0, 0, 0, 0]


def test_they_become_staff_as_somebody_begins_to_act_as_them(site: Site) -> None:
    email, pk = somebody(site)
    acting = [Staff(site) for _ in range(4)]
    begin = [each.prepare(pk, "impersonate", reason="Ticket 12") for each in acting]
    promote = (
        "from django.contrib.auth import get_user_model as model\n"
        f"model().objects.filter(email={email!r}).update(is_staff=True)"
    )
    promotion = Thread(target=site.manage, args=("shell", "-c", promote))
    promotion.start()
    answers = site.together(begin)
    promotion.join()
    assert {answer.status_code for answer in answers} == {200}
    for each in acting:
        answer = each.browser.get(f"{each.address}/v1/account", timeout=TIMEOUT)
        assert answer.status_code == 401, "nobody acts as staff, whoever came first"


def test_two_buttons_to_stop(site: Site) -> None:
    _, pk = somebody(site)
    staff = Staff(site)
    staff.prepare(pk, "impersonate", reason="Ticket 12")()
    url = f"{staff.address}/v1/pages/impersonation"
    form = staff.token(staff.browser.get(url, timeout=TIMEOUT).text)
    cookies = staff.browser.cookies.get_dict()
    stop = partial(
        requests.post, url, form, cookies=cookies, timeout=TIMEOUT, allow_redirects=False
    )
    answers = site.together([stop] * 6)
    assert {answer.status_code for answer in answers} == {303}
    assert ask(site, f"Session.objects.filter(account={pk}).count()") == 0
    ends = f"LogEntry.objects.filter(event='session.delete', account_pk={pk}).count()"
    assert ask(site, ends) == 1


# Each with each other, and with itself: names of acts, and what their forms say.
PAIRS = [
    ("delete", "anonymise"),
    ("block", "delete"),
    ("reset_mfa", "reset_mfa"),
    ("reset_mfa", "anonymise"),
    ("reset_mfa", "delete"),
    ("delete", "delete"),
    ("require_password", "require_password"),
    ("require_password", "delete"),
    ("require_password", "anonymise"),
    ("send_recovery", "anonymise"),
    ("send_recovery", "delete"),
    ("send_verification", "delete"),
    ("send_verification", "anonymise"),
    ("unverify_email", "delete"),
    ("verify_email", "anonymise"),
    ("end_sessions", "delete"),
    ("impersonate", "delete"),
    ("impersonate", "anonymise"),
    ("export", "delete"),
    ("block", "unblock"),
]
SAID = {"reason": "Ticket 12", "address": "email", "send": "on"}


def left_of(site: Site, emails: Sequence[str]) -> list[str]:
    """Which addresses there still are, anywhere."""
    found: list[str] = ask(
        site,
        f"[email for email in {list(emails)!r} if Account.objects.filter(email=email).exists()"
        " or get_user_model().objects.filter(email=email).exists()"
        " or Target.objects.filter(identifier=email).exists()"
        " or Token.objects.filter(address=email).exists()"
        " or Delivery.objects.filter(recipient=email).exists()]",
    )
    return found


@pytest.mark.parametrize("leave", [False, True], ids=["they stay", "they delete themselves"])
def test_two_acts_at_once(site: Site, leave: bool) -> None:
    """Both are done, or refused with a reason, and nothing is left of whoever is to go."""
    staff = Staff(site), Staff(site)
    emails = [f"somebody.{uuid4().hex}@example.org" for _ in PAIRS]
    people = [site.person(email) for email in emails]
    pks = ask(site, f"[Account.objects.get(email=email).pk for email in {emails!r}]")
    calls = []
    for person, email, pk, pair in zip(people, emails, pks, PAIRS, strict=True):
        calls += [each.prepare(pk, act, **SAID) for each, act in zip(staff, pair, strict=True)]
        calls.append(
            partial(person.call, "DELETE", "/account")
            if leave
            else partial(site.guest.sign_in, email)
        )
    answers = site.together(calls)
    to_go = []
    for email, pair, third in zip(emails, PAIRS, answers[2::3], strict=True):
        if {*pair} & {"delete", "anonymise"} or (leave and third.status_code == 204):
            to_go.append(email)
    # What is looked at afterwards may be the page of somebody who is gone.
    assert {answer.status_code for answer in (*answers[::3], *answers[1::3])} <= {200, 404}
    assert left_of(site, to_go) == []


def test_many_by_two_as_they_delete_themselves(site: Site) -> None:
    staff = Staff(site), Staff(site)
    emails = [f"somebody.{uuid4().hex}@example.org" for _ in range(6)]
    people = [site.person(email) for email in emails]
    pks = ask(site, f"[Account.objects.get(email=email).pk for email in {emails!r}]")
    acts = ("delete", "anonymise")
    calls = [each.prepare_many(pks, act) for each, act in zip(staff, acts, strict=True)]
    calls += [partial(person.call, "DELETE", "/account") for person in people[:3]]
    answers = site.together(calls)
    assert {answer.status_code for answer in answers[:2]} == {200}
    assert left_of(site, emails) == []

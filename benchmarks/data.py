"""People to sign in, and the requests they send."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

PASSWORD = "correct horse battery"

PROJECT_ID = "demo"

USER_AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Safari/537.36"
)

_BATCH = 2000


def account_id(number: int) -> str:
    """The public id of a person."""
    return f"person-{number:08d}"


def email(number: int) -> str:
    """The address of a person."""
    return f"person.{number:08d}@mail{number % 97}.example.com"


def secret(number: int) -> str:
    """The secret of a person's newest session; as long as a real one."""
    return f"{number:08x}" * 32


def fill(accounts: int, sessions: int) -> Iterator[int]:
    """Fill an empty database: people, each with one target and a number of sessions.

    Args:
        accounts: how many people.
        sessions: how many each has; the newest has the secret that :func:`secret` tells.

    Yields:
        how many people are done.
    """
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.utils import timezone

    from django_account.accounts.models import Account
    from django_account.core.clients import parse_user_agent
    from django_account.core.crypto import digest
    from django_account.sessions.models import Session
    from django_account.targets.models import Target

    users = get_user_model()
    now = timezone.now()
    client = parse_user_agent(USER_AGENT).as_dict()
    for start in range(0, accounts, _BATCH):
        numbers = range(start, min(start + _BATCH, accounts))
        made = users.objects.bulk_create(
            users(username=account_id(number), email=email(number)) for number in numbers
        )
        people = Account.objects.bulk_create(
            Account(
                public_id=account_id(number),
                user=user,
                name=f"Person {number}",
                email=email(number),
                prefs={"theme": "dark", "language": "en"},
                password_changed_at=now,
                accessed_at=now,
            )
            for number, user in zip(numbers, made, strict=True)
        )
        Target.objects.bulk_create(
            Target(account=person, provider_type="email", identifier=person.email)
            for person in people
        )
        for age in reversed(range(sessions)):
            Session.objects.bulk_create(
                Session(
                    public_id=f"s{age}-{number}",
                    account=person,
                    secret_digest=digest(secret(number) if age == 0 else f"{age}-{number}"),
                    provider="email",
                    provider_uid=person.email,
                    factors=["password"],
                    ip="127.0.0.1",
                    user_agent=USER_AGENT,
                    client=client,
                    expires_at=now + timedelta(days=365),
                )
                for number, person in zip(numbers, people, strict=True)
            )
        yield numbers.stop
    set_password()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def set_password() -> None:
    """Give everybody PASSWORD, hashed by the first of the site's hashers."""
    from django.contrib.auth import get_user_model
    from django.contrib.auth.hashers import make_password

    get_user_model().objects.update(password=make_password(PASSWORD))


def write_requests(directory: Path, accounts: int, host: str) -> dict[str, Path]:
    """Write each view's requests, as they go over the wire, into a file, one of each person.

    Returns:
        the files by the view's name. The requests in them are separated by null bytes.
    """
    from django_account.sessions.credentials import encode_credential

    agent = {"User-Agent": USER_AGENT}
    project = {**agent, "X-Appwrite-Project": PROJECT_ID}
    # Signing in ends old sessions: those who sign in are not those who look.
    numbers, others = range(accounts // 2), range(accounts // 2, accounts)
    views = {
        "account": (
            _get(
                host,
                "/v1/account",
                {**project, "X-Appwrite-Session": encode_credential(account_id(n), secret(n))},
            )
            for n in numbers
        ),
        "bare": (_get(host, "/bare/", {**agent, "X-Token": secret(n)}) for n in numbers),
        "constant": iter([_get(host, "/constant/", agent)]),
        "hash": iter([_get(host, "/hash/", agent)]),
        "sign-in": (
            _post(
                host,
                "/v1/account/sessions/email",
                project,
                {"email": email(n), "password": PASSWORD},
            )
            for n in others
        ),
    }
    files = {}
    for name, requests in views.items():
        files[name] = directory / f"{name}.requests"
        files[name].write_bytes(b"\0".join(requests))
    return files


def _get(host: str, path: str, headers: dict[str, str]) -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", *(f"{k}: {v}" for k, v in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _post(host: str, path: str, headers: dict[str, str], body: dict[str, str]) -> bytes:
    content = json.dumps(body).encode()
    described = {
        **headers,
        "Content-Type": "application/json",
        "Content-Length": str(len(content)),
    }
    return _get(host, path, described).replace(b"GET", b"POST", 1) + content

"""What lies in the database file or server after the flows: no password, session, key or JWT."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from tests.client import PASSWORD
from tests.races.site import Person, Site, credential
from tests.security.secrets import betrayed

CHANGED = "battery staple of " + uuid4().hex


def stored(site: Site) -> bytes:
    """Every byte of an SQLite database, or every row of every table in PostgreSQL."""
    if site.database.startswith("sqlite"):
        path = Path(urlsplit(site.database).path)
        return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    import psycopg

    with psycopg.connect(site.database) as connection:
        tables = connection.execute(
            "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        rows = [
            str(row)
            for (table,) in tables
            for row in connection.execute(f"SELECT t::text FROM {table} t")  # type: ignore[call-overload]
        ]
    return "\n".join(rows).encode()


def test_no_secret_in_the_database(site: Site) -> None:
    email = f"rest.{uuid4().hex}@example.org"
    first = f"{PASSWORD} of {uuid4().hex}"
    assert site.guest.sign_up(email, password=first).status_code == 201
    wrong = f"wrong horse of {uuid4().hex}"
    assert site.guest.sign_in(email, wrong).status_code == 401
    secrets = [first, wrong, CHANGED]
    for _ in range(2):
        secrets.append(credential(site.guest.sign_in(email, first)))
    person = Person(site, secrets[-1])
    body = {"password": CHANGED, "oldPassword": first}
    assert person.call("PATCH", "/account/password", body).status_code == 200
    secrets.append(person.call("POST", "/account/jwts").json()["jwt"])
    key = site.manage("createapikey", "--name", "rest", "--scopes", "sessions.write")
    secrets.append(key.splitlines()[-1])
    server = site.guest
    server.headers["X-Appwrite-Key"] = secrets[-1]
    secrets.append(server.sign_in(email, CHANGED).json()["secret"])
    assert secrets[-1]
    data = stored(site)
    assert email.encode() in data
    assert betrayed(secrets, data) == []

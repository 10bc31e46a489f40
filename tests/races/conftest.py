"""Sites on PostgreSQL and on SQLite."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.races.site import POSTGRES, Site


@contextmanager
def empty_postgres(missing: Callable[[str], None]) -> Iterator[str]:
    """A new PostgreSQL database, dropped afterwards; its URL."""
    try:
        import psycopg

        admin = psycopg.connect(POSTGRES, autocommit=True, connect_timeout=5)
    except (ImportError, OSError):
        missing("PostgreSQL")
        raise
    except psycopg.OperationalError:
        missing("PostgreSQL")
        raise
    name = f"races_{secrets.token_hex(8)}"
    with admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlunsplit(urlsplit(POSTGRES)._replace(path=f"/{name}"))
        finally:
            admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextmanager
def empty_sqlite(directory: Path) -> Iterator[str]:
    """A new SQLite file; its URL."""
    yield f"sqlite:///{directory}/db.sqlite3"


@pytest.fixture(
    scope="session", params=[pytest.param("postgresql", marks=pytest.mark.postgres), "sqlite"]
)
def run_site(
    request: pytest.FixtureRequest,
    missing: Callable[[str], None],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., Any]:
    """Run a site on an empty database of the kind: ``with run_site(USERS_LIMIT=1) as site``; with
    variables of its environment: ``run_site({"EMAIL_URL": …})``."""

    @contextmanager
    def run(
        environment: Mapping[str, str] | None = None, **account_settings: Any
    ) -> Iterator[Site]:
        databases = (
            empty_postgres(missing)
            if request.param == "postgresql"
            else empty_sqlite(tmp_path_factory.mktemp("races"))
        )
        with databases as url:
            site = Site(url, **account_settings)
            site.environment |= environment or {}
            with site.running():
                yield site

    return run


@pytest.fixture(scope="session")
def site(run_site: Callable[..., Any]) -> Iterator[Site]:
    """A site with the default limit of ten sessions."""
    with run_site(SESSION_LIMIT=10) as site:
        yield site

"""Where requests are counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.db import connections
from django.test.utils import override_settings

from django_account.limits.models import CacheEntry
from tests.races.conftest import empty_postgres

REDIS = "redis://127.0.0.1:6379/0"

OURS = "django_account.limits.cache.AtomicDatabaseCache"

MEMORY = "django.core.cache.backends.locmem.LocMemCache"


class Elsewhere:
    """A router that keeps the cache's table in another database."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return "elsewhere" if model is CacheEntry else None

    db_for_write = db_for_read


@pytest.fixture(scope="session")
def postgres_table(missing: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    """The settings of a PostgreSQL database with the cache's table in it."""
    from example_project.settings import database

    with empty_postgres(missing) as url:
        settings = {**connections.databases["default"], **database(url), "TEST": {}}
        # Pooled connections would hold the database when it is dropped.
        settings["OPTIONS"] = {
            "server_side_binding": True,
            "prepare_threshold": 5,
            "options": "-c synchronous_commit=off",
        }
        yield settings


@pytest.fixture
def on_postgres(postgres_table: dict[str, Any], settings: Any, db: None) -> Iterator[None]:
    """Keep the cache's table in PostgreSQL."""
    connections.databases["elsewhere"] = postgres_table
    settings.DATABASE_ROUTERS = [f"{__name__}.Elsewhere"]
    connection = connections["elsewhere"]
    connection.connect()
    # Tests may connect to the databases of the settings alone.
    connection.ensure_connection = lambda: None
    if CacheEntry._meta.db_table not in connection.introspection.table_names():
        with connection.schema_editor() as editor:
            editor.create_model(CacheEntry)
    CacheEntry.objects.using("elsewhere").delete()
    yield
    connection.close()
    del connections["elsewhere"]
    del connections.databases["elsewhere"]


STORES = [
    "memory",
    "redis",
    "sqlite",
    pytest.param("postgresql", marks=pytest.mark.postgres),
]


@pytest.fixture
def store(
    request: pytest.FixtureRequest, missing: Callable[[str], None], db: None
) -> Iterator[str]:
    """The site's cache is one of STORES, by indirect parametrization."""
    name: str = request.param
    cache = {"BACKEND": OURS}
    if name == "memory":
        cache = {"BACKEND": MEMORY, "LOCATION": str(uuid4())}
    elif name == "redis":
        try:
            redis.Redis.from_url(REDIS, socket_connect_timeout=1).ping()
        except redis.RedisError:
            missing("Redis")
        backend = "django.core.cache.backends.redis.RedisCache"
        cache = {"BACKEND": backend, "LOCATION": REDIS, "KEY_PREFIX": f"tests-{uuid4()}"}
    elif name == "postgresql":
        request.getfixturevalue("on_postgres")
    with override_settings(CACHES={"default": cache}):
        yield name

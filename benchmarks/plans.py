"""The plans by which PostgreSQL runs the hottest statements."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from benchmarks.data import PASSWORD, PROJECT_ID, USER_AGENT, account_id, email, secret


def collect(number: int) -> dict[str, list[dict[str, str]]]:
    """Send one request to each hot endpoint, and explain every statement it runs.

    Args:
        number: of the person that sends them.

    Returns:
        the statements and their plans, by endpoint.
    """
    from django.test import Client

    from django_account.sessions.credentials import encode_credential

    headers = {"X-Appwrite-Project": PROJECT_ID, "User-Agent": USER_AGENT}
    credential = encode_credential(account_id(number), secret(number))

    def look() -> Any:
        return Client(headers=headers).get(
            "/v1/account", headers={"X-Appwrite-Session": credential}
        )

    def sign_in(address: str) -> Any:
        return Client(headers=headers).post(
            "/v1/account/sessions/email",
            json.dumps({"email": address, "password": PASSWORD}),
            content_type="application/json",
        )

    return {
        "GET /v1/account": _explained(200, look),
        "POST /v1/account/sessions/email": _explained(201, lambda: sign_in(email(number))),
        "POST /v1/account/sessions/email, an address that nobody has": _explained(
            401, lambda: sign_in("nobody@example.com")
        ),
    }


def _explained(status: int, request: Callable[[], Any]) -> list[dict[str, str]]:
    from django.db import connection

    statements: list[tuple[str, Any]] = []

    def record(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(record):
        response = request()
    if response.status_code != status:
        raise RuntimeError(f"{response.status_code}: {response.content.decode()}")
    plans = []
    for sql, params in statements:
        if sql.partition(" ")[0] in ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH"):
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (COSTS OFF) {sql}", params)
                plan = "\n".join(line for (line,) in cursor.fetchall())
            plans.append({"statement": sql, "plan": plan})
        else:
            plans.append({"statement": sql, "plan": ""})
    return plans


def scans(plans: dict[str, list[dict[str, str]]]) -> list[str]:
    """The endpoints that read a whole table."""
    return [
        endpoint
        for endpoint, statements in plans.items()
        if any("Seq Scan" in each["plan"] for each in statements)
    ]

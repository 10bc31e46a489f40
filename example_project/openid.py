"""The demo's own OpenID provider, which lasts as long as the process that started it."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.conf import settings

from example_project import npm

PORT = 9400


@contextmanager
def running(site_port: str) -> Iterator[str | None]:
    """Run the provider while the context lasts, and make it the site's provider "oidc".

    Yields:
        its address; None where it cannot run, or the site has a provider "oidc" of its own.
    """
    node = npm.node()
    if "oidc" in settings.DJANGO_ACCOUNT.get("OAUTH2_PROVIDERS", {}) or not node:
        yield None
        return
    # Another host name than the site's: cookies do not mind the port.
    issuer = f"http://127.0.0.1:{_free_port()}"
    project = settings.DJANGO_ACCOUNT["PROJECT_ID"]
    client = {"client_id": "demo-site", "client_secret": secrets.token_urlsafe(32)}
    callbacks = [
        f"http://{host}:{site_port}/v1/account/sessions/oauth2/callback/oidc/{project}"
        for host in ("localhost", "127.0.0.1", "[::1]")
    ]
    environment = {
        **os.environ,
        "ISSUER": issuer,
        "CLIENT": json.dumps({**client, "redirect_uris": callbacks}),
        "NODE_NO_WARNINGS": "1",
    }
    process = subprocess.Popen(  # noqa: S603 -- a fixed command
        [node, str(npm.HERE / "openid.mjs")],
        cwd=npm.HERE,
        env=environment,
        # It ends when this closes: even if we are killed.
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # It warns that it keeps everything in memory.
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        starts = process.stdout is not None and process.stdout.readline().strip() == "ready"
        if starts:
            _offer({**client, "endpoint": issuer})
        yield issuer if starts else None
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)


def _offer(config: dict[str, Any]) -> None:
    given = settings.DJANGO_ACCOUNT
    providers = {"oidc": config, **given.get("OAUTH2_PROVIDERS", {})}
    settings.DJANGO_ACCOUNT = {**given, "OAUTH2_PROVIDERS": providers}


def _free_port() -> int:
    """The usual port, or if somebody has it, any."""
    for port in (PORT, 0):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)) as listening:
            return int(listening.getsockname()[1])
    raise OSError("There is no free port on 127.0.0.1.")

"""The example site in a process of its own, and the web pages that call it."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import requests

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
PROJECT = "demo"

START_TIMEOUT = 120

# What the site is to the OpenID provider.
OIDC_CLIENT = {"client_id": "the-site", "client_secret": "a-secret-of-the-site-and-the-provider"}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


class Server:
    """gunicorn with the example site on an empty SQLite database.

    Args:
        directory: where it keeps the database, mails and text messages.
        settings: of DJANGO_ACCOUNT, besides the usual.
    """

    def __init__(self, directory: Path, **settings: Any) -> None:
        # Of the OpenID provider, which runs where a test needs it.
        self.issuer = f"http://127.0.0.1:{free_port()}"
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "example_project.settings",
            "DATABASE_URL": f"sqlite:///{directory}/db.sqlite3",
            "CACHE_URL": "locmemcache://",
            "EMAIL_URL": f"filemail://{directory}/mail",
            "SMS_URL": f"file://{directory}/sms.jsonl",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "DEBUG": "0",
            "ALLOWED_HOSTS": "localhost,127.0.0.1,.example.com",
            "ACCOUNT_SETTINGS": json.dumps(
                {
                    "PLATFORMS": ["localhost", "shop.example.com"],
                    # All tests sign up from one address.
                    "RATE_LIMITS_ENABLED": False,
                    "OAUTH2_PROVIDERS": {"oidc": {**OIDC_CLIENT, "endpoint": self.issuer}},
                    **settings,
                }
            ),
        }

    def manage(self, *arguments: str) -> str:
        """Run a management command; what it printed."""
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve on a free port while the context lasts."""
        self.manage("migrate", "--verbosity", "0")
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.port: int = listening.getsockname()[1]
            # gunicorn inherits the socket, so that nobody else can take the port in between.
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "gunicorn", "example_project.wsgi"),
                    *("--bind", f"fd://{listening.fileno()}"),
                    *("--worker-class", "gthread", "--threads", "4"),
                    # Longer than any client keeps an idle connection.
                    *("--keep-alive", "600"),
                    *("--log-level", "warning"),
                ],
                cwd=ROOT,
                env=self.environment,
                pass_fds=[listening.fileno()],
            )
        try:
            # The port is open already: this waits for the first answer, or fails if gunicorn ends.
            assert self.call("GET", "/ping", timeout=START_TIMEOUT).text == "Pong!"
            yield
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()

    def endpoint(self, host: str = "127.0.0.1") -> str:
        """What a client passes to ``setEndpoint``."""
        return f"http://{host}:{self.port}/v1"

    def call(
        self, method: str, path: str, body: Any = None, timeout: float = 60, **headers: str
    ) -> requests.Response:
        """Call the API without an SDK.

        Args:
            headers: as keyword arguments, with underscores for hyphens.
        """
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.request(
            method,
            self.endpoint() + path,
            json=body,
            headers={"X-Appwrite-Project": PROJECT, **sent},
            timeout=timeout,
        )


class OpenIdProvider:
    """The certified ``oidc-provider`` under Node.js.

    Args:
        packages: where it is installed.
        site: whose sign-ins it serves.
    """

    def __init__(self, packages: Path, site: Server) -> None:
        self.packages = packages
        callbacks = [
            f"{site.endpoint(host)}/account/sessions/oauth2/callback/oidc/{PROJECT}"
            for host in ("localhost", "127.0.0.1")
        ]
        self.environment = {
            **os.environ,
            "ISSUER": site.issuer,
            "CLIENT": json.dumps({**OIDC_CLIENT, "redirect_uris": callbacks}),
            "NODE_NO_WARNINGS": "1",
        }

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve while the context lasts."""
        process = subprocess.Popen(
            ["node", str(HERE / "provider.mjs")],
            cwd=self.packages,
            env=self.environment,
            stdout=subprocess.PIPE,
            # It warns that it is set up for tests.
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            assert process.stdout is not None
            lines = iter(process.stdout.readline, "")
            assert any(line.strip() == "ready" for line in lines), "oidc-provider did not start"
            yield
        finally:
            process.terminate()
            process.wait(30)


class Pages:
    """A web server that shows one page at every host: an app with the Web SDK's browser build."""

    def __init__(self, packages: Path) -> None:
        self.files = {
            "/": (HERE / "page.html", "text/html"),
            "/caller.mjs": (HERE / "caller.mjs", "text/javascript"),
            "/appwrite.js": (
                packages / "node_modules" / "appwrite" / "dist" / "iife" / "sdk.js",
                "text/javascript",
            ),
        }

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve on a free port while the context lasts."""
        files = self.files

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.partition("?")[0]
                if name not in files:
                    return self.send_error(404)
                path, content_type = files[name]
                body = path.read_bytes()
                self.send_response(200)
                self.send_header("Content-Type", f"{content_type}; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                return None

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            self.port: int = server.server_port
            Thread(target=server.serve_forever, daemon=True).start()
            yield
            server.shutdown()

    def origin(self, host: str) -> str:
        """The page's origin at a host."""
        return f"http://{host}:{self.port}"

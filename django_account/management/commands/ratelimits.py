"""``manage.py ratelimits``: every rate limit in one table."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.urls import get_resolver

from django_account.limits.rules import in_force, limited_routes

HEADINGS = ("route", "action", "limit", "window", "key", "reset on")


class Command(BaseCommand):
    """The table shows what is in force: the settings' changes are in it."""

    help = "List every rate limit: route, action, limit, window in seconds, key, and reset."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--markdown", action="store_true", help="as a table for documents, such as ours"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # Whoever declares a limit is imported with the site's URLs.
        _ = get_resolver().url_patterns
        if not limited_routes:
            raise CommandError("django_account.urls is not among the site's URLs.")
        # Placeholders in angle brackets would be taken for HTML.
        rows = [HEADINGS, *table(quote="`" if options["markdown"] else "")]
        widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
        if options["markdown"]:
            rows.insert(1, tuple("-" * width for width in widths))
        for row in rows:
            cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
            self.stdout.write(
                f"| {' | '.join(cells)} |" if options["markdown"] else "  ".join(cells).rstrip()
            )


def table(quote: str = "") -> list[tuple[str, ...]]:
    """The rows: one for each limit of each path, or one that says that there is none.

    Args:
        quote: what stands around code.
    """
    rows: list[tuple[str, ...]] = []
    for route in limited_routes.values():
        where = tuple(
            f"{quote}{it}{quote}" for it in (f"{route.method} {route.path}", route.action)
        )
        resets = ", ".join(map(str, route.resets)) or "-"
        rows += [
            (*where, str(limit.limit), str(limit.window), limit.key, resets)
            for limit in in_force(route.action, route.limits)
        ] or [(*where, "off", "-", "-", "-")]
    return rows

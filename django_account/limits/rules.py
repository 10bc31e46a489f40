"""What may be asked how often (core.md §5). A rule stands above the action it binds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from django_account.conf import conf

HOUR: Final = 3600

# The parts of a key that are no parameters of the request.
BUILT_IN: Final = frozenset({"url", "ip", "caller"})


@dataclass(frozen=True, slots=True)
class Limit:
    """So many requests in each window of time, for each value of a key.

    Attributes:
        limit: how many pass; the next one does not.
        window: in seconds. Windows begin at the multiples of it since the epoch.
        key: what counts apart, separated by commas: ``url`` (the operation: method and route,
            whatever path led there), ``ip``, ``caller`` (who is signed in), or the name of a
            parameter. Limits with the same key and without ``url`` count together. Devices on which
            the person of an ``email`` or ``phone`` signed in count apart (devices.py).
        sensitive: whether it guards a secret, an address or an account. While the cache is gone
            sensitive limits are counted in the database; the others pass.
    """

    limit: int
    window: int
    key: str
    sensitive: bool = True

    @property
    def parts(self) -> list[str]:
        """What the key is made of."""
        return self.key.split(",")

    @property
    def parameters(self) -> set[str]:
        """The parameters among them."""
        return set(self.parts) - BUILT_IN


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitedRoute:
    """A path that has limits: one row of the table.

    Attributes:
        method: in upper case.
        path: under the mount point, with its placeholders.
        action: the SDK's method name in snake case; the key of RATE_LIMITS.
        limits: as declared; :func:`in_force` has the site's changes.
        resets: the statuses that set the counters back.
    """

    method: str
    path: str
    action: str
    limits: tuple[Limit, ...]
    resets: tuple[int, ...] = ()


# Every limited path, filled by whoever knows the routes (api/urls.py).
limited_routes: Final[dict[tuple[str, str], LimitedRoute]] = {}


def declare(route: LimitedRoute) -> None:
    """Enter a path into the table."""
    limited_routes[route.method, route.path] = route


def in_force(action: str, limits: Sequence[Limit]) -> Sequence[Limit]:
    """An action's limits as the site has them: RATE_LIMITS changes figures, or switches off.

    Args:
        action: its name.
        limits: as declared.
    """
    if not limits or not conf.rate_limits_enabled:
        return ()
    overrides = conf.rate_limits
    if action not in overrides:
        return limits
    override = overrides[action]
    return () if override is None else [replace(limit, **override) for limit in limits]

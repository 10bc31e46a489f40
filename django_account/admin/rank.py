"""Who stands above whom: staff act on nobody who may do more than they.

Whoever could change a superuser's e-mail address and have a recovery sent to it would be one.
"""

from __future__ import annotations

from typing import Any

from django_account.accounts.models import Account


def may_act_on(staff: Any, account: Account) -> bool:
    """Whether a member of staff may change an account: not one that is above them.

    Above somebody who is no superuser are superusers, and staff with a permission that they lack.

    Args:
        staff: a user.
        account: with its user.
    """
    user: Any = account.user
    if getattr(staff, "is_superuser", False) or user.pk == staff.pk:
        return True
    if getattr(user, "is_superuser", False):
        return False
    if not getattr(user, "is_staff", False):
        return True
    # Not get_all_permissions(): somebody blocked has none, and has them again when unblocked.
    return bool(staff.has_perms(granted_to(user)))


def granted_to(user: Any) -> list[str]:
    """A user's permissions. Not by get_all_permissions(): somebody blocked has none just now."""
    if not hasattr(user, "user_permissions"):
        return []
    label, codename = "content_type__app_label", "codename"
    own = user.user_permissions.values_list(label, codename)
    groups = user.groups.exclude(permissions=None)
    by_group = groups.values_list(f"permissions__{label}", f"permissions__{codename}")
    return [f"{app}.{name}" for app, name in {*own, *by_group}]

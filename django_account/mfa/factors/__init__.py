"""The factors that there are: the built-in ones, and the site's own (MFA_FACTOR_CLASSES)."""

from __future__ import annotations

from django_account.conf import conf
from django_account.exceptions import FactorDisabled
from django_account.mfa.factors.base import Factor
from django_account.mfa.factors.custom import CustomFactor
from django_account.mfa.factors.email import EmailFactor
from django_account.mfa.factors.phone import PhoneFactor
from django_account.mfa.factors.recovery_code import RecoveryCodeFactor
from django_account.mfa.factors.totp import TotpFactor

# In the order of the wire (mfa-oauth.md §4, MfaFactors).
BUILT_IN: tuple[type[Factor], ...] = (
    TotpFactor,
    PhoneFactor,
    EmailFactor,
    RecoveryCodeFactor,
    CustomFactor,
)


def all_factors() -> dict[str, Factor]:
    """Every factor by its name; one of the site's own takes a built-in one's place."""
    own: list[type[Factor]] = conf.mfa_factor_classes
    return {cls.name: cls() for cls in (*BUILT_IN, *own)}


def find_factor(name: str) -> Factor | None:
    """The factor with a name in any case: SDKs write ``recoverycode`` for ``recoveryCode``."""
    wanted = name.lower()
    return next((each for each in all_factors().values() if each.name.lower() == wanted), None)


def require_enabled(factor: Factor) -> None:
    """Refuse a factor that the site has switched off.

    Raises:
        FactorDisabled.
    """
    if not factor.is_enabled:
        raise FactorDisabled

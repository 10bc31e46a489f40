"""The models of every domain package, where Django looks for them."""

from django_account.accounts.models import Account
from django_account.api_keys.models import ApiKey
from django_account.audit.models import LogEntry
from django_account.audit.tallies import Tally
from django_account.identities.models import Identity, OAuth2Flow, OAuth2Provider
from django_account.limits.models import CacheEntry
from django_account.mfa.models import Authenticator, Challenge, GuessCount, RecoveryCode
from django_account.notifications.models import Delivery
from django_account.sessions.models import Session
from django_account.targets.models import Target
from django_account.tokens.models import Token

__all__ = [
    "Account",
    "ApiKey",
    "Authenticator",
    "CacheEntry",
    "Challenge",
    "Delivery",
    "GuessCount",
    "Identity",
    "LogEntry",
    "OAuth2Flow",
    "OAuth2Provider",
    "RecoveryCode",
    "Session",
    "Tally",
    "Target",
    "Token",
]

"""The Django admin's pages."""

from django_account.admin.accounts import AccountAdmin
from django_account.admin.api_keys import ApiKeyAdmin
from django_account.admin.deliveries import DeliveryAdmin
from django_account.admin.logs import LogEntryAdmin
from django_account.admin.overview import OverviewAdmin
from django_account.admin.providers import ProvidersAdmin
from django_account.admin.rate_limits import RateLimitAdmin

__all__ = [
    "AccountAdmin",
    "ApiKeyAdmin",
    "DeliveryAdmin",
    "LogEntryAdmin",
    "OverviewAdmin",
    "ProvidersAdmin",
    "RateLimitAdmin",
]

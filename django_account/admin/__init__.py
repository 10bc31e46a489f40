"""The Django admin's pages."""

from django_account.admin.api_keys import ApiKeyAdmin
from django_account.admin.deliveries import DeliveryAdmin
from django_account.admin.logs import LogEntryAdmin

__all__ = ["ApiKeyAdmin", "DeliveryAdmin", "LogEntryAdmin"]

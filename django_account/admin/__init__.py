"""The Django admin's pages."""

from django_account.admin.api_keys import ApiKeyAdmin
from django_account.admin.deliveries import DeliveryAdmin

__all__ = ["ApiKeyAdmin", "DeliveryAdmin"]

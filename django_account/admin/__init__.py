"""The Django admin's pages."""

from django_account.admin.api_keys import ApiKeyAdmin

__all__ = ["ApiKeyAdmin"]

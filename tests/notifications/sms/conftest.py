"""The local gateway, for every test of SMS."""

from tests.cases.sms import gateway

__all__ = ["gateway"]

"""Each gateway's wire, as its documentation has it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from django_account.notifications.sms import SMSError, SMSMessage, get_connection
from tests.cases.sms import BODY, CODE, TO, GatewayServer, SMSBackendCase, basic

DIGITS = TO[1:]
BACKENDS = "django_account.notifications.sms"


class TestTwilio(SMSBackendCase):
    module = "twilio"
    options = {"account_sid": "AC0123", "auth_token": "tok/en+1", "sender": "+15550001111"}
    required = ("account_sid", "auth_token", "sender")
    secrets = ("tok/en+1", "AC0123")
    path = "/2010-04-01/Accounts/AC0123/Messages.json"
    headers = {"authorization": basic("AC0123", "tok/en+1")}
    fields = {"To": TO, "From": "+15550001111", "Body": BODY}
    text_at = ("Body",)
    taken = (201, {"sid": "SM1", "status": "queued", "error_code": None})
    refusals = [
        (400, {"code": 21211, "message": f"'{TO}' is not a phone number"}, "21211", False),
        (401, {"code": 20003, "message": "Authenticate"}, "20003", False),
        (429, {"code": 20429, "message": "Too Many Requests"}, "20429", True),
    ]

    def test_a_messaging_service_sends_by_its_id(self, gateway: GatewayServer) -> None:
        gateway.says(*self.taken)
        service = "MG" + "0" * 32
        self.backend(gateway.url, sender=service).send_messages([self.message()])
        fields = gateway.requests[0].fields
        assert fields == {"To": TO, "MessagingServiceSid": service, "Body": BODY}

    def test_an_api_key_authenticates_instead_of_the_account(self, gateway: GatewayServer) -> None:
        gateway.says(*self.taken)
        self.backend(gateway.url, api_key="SK9").send_messages([self.message()])
        assert gateway.requests[0].path == self.path
        assert gateway.requests[0].headers["authorization"] == basic("SK9", "tok/en+1")


class TestVonage(SMSBackendCase):
    module = "vonage"
    options = {"api_key": "abcd1234", "api_secret": "s3cret-vonage", "sender": "Acme"}
    required = ("api_key", "api_secret", "sender")
    secrets = ("abcd1234", "s3cret-vonage")
    path = "/sms/json"
    headers = {"authorization": basic("abcd1234", "s3cret-vonage")}
    fields = {"to": DIGITS, "from": "Acme", "text": BODY, "type": "text"}
    text_at = ("text",)
    taken = (200, {"message-count": "1", "messages": [{"to": DIGITS, "status": "0"}]})
    refusals = [
        (200, {"messages": [{"status": "4", "error-text": "Bad Credentials"}]}, "4", False),
        (200, {"messages": [{"status": "29", "error-text": "Non-Whitelisted"}]}, "29", False),
        (200, {"messages": [{"status": "1", "error-text": "Throttled"}]}, "1", True),
        (200, {"messages": [{"status": "5", "error-text": "Internal Error"}]}, "5", True),
        (200, {"messages": [{"status": "0"}, {"status": "6"}]}, "6", False),
        (401, {"type": "x", "title": "Unauthorized"}, "", False),
    ]

    @pytest.mark.parametrize("text", ["código 12", "код 12", "🔐", "`"])
    def test_text_beyond_gsm_is_declared_unicode(self, gateway: GatewayServer, text: str) -> None:
        gateway.says(*self.taken)
        self.backend(gateway.url).send_messages([self.message(text)])
        assert gateway.requests[0].fields["type"] == "unicode"


class TestTextmagic(SMSBackendCase):
    module = "textmagic"
    options = {"username": "ada.l", "api_key": "tm-key-1"}
    required = ("username", "api_key")
    secrets = ("ada.l", "tm-key-1")
    path = "/api/v2/messages"
    headers = {"x-tm-username": "ada.l", "x-tm-key": "tm-key-1"}
    fields = {"phones": DIGITS, "text": BODY}
    text_at = ("text",)
    taken = (201, {"id": 3, "href": "/api/v2/messages/3", "type": "message", "messageId": 3})
    refusals = [
        (400, {"code": 400, "message": "Validation Failed", "errors": {}}, "400", False),
        (401, {"code": 401, "message": "Unauthorized"}, "401", False),
        (429, {"code": 429, "message": "Too Many Requests"}, "429", True),
    ]

    def test_the_sender_goes_along(self, gateway: GatewayServer) -> None:
        gateway.says(*self.taken)
        self.backend(gateway.url, sender="+447860021130").send_messages([self.message()])
        assert gateway.requests[0].fields["from"] == "447860021130"


class TestTelesign(SMSBackendCase):
    module = "telesign"
    options = {"customer_id": "FFFF-01", "api_key": "ts-key+/="}
    required = ("customer_id", "api_key")
    secrets = ("FFFF-01", "ts-key+/=")
    path = "/v1/messaging"
    headers = {"authorization": basic("FFFF-01", "ts-key+/=")}
    fields = {"phone_number": DIGITS, "message": BODY, "message_type": "OTP"}
    text_at = ("message",)
    taken = (200, {"reference_id": "A1", "status": {"code": 290, "description": "In progress"}})
    refusals = [
        (400, {"status": {"code": 11000, "description": "Invalid"}}, "11000", False),
        (200, {"status": {"code": 207, "description": "Error delivering"}}, "207", False),
        (200, {"status": {"code": 500, "description": "Not attempted"}}, "500", False),
        (401, {"errors": [{"code": -30000, "description": "Invalid id"}]}, "", False),
    ]


class TestMsg91(SMSBackendCase):
    module = "msg91"
    options = {"auth_key": "m91-auth", "template_id": "tpl1"}
    required = ("auth_key", "template_id")
    secrets = ("m91-auth",)
    path = "/api/v5/flow/"
    headers = {"authkey": "m91-auth"}
    fields = {
        "template_id": "tpl1",
        "recipients": [{"mobiles": DIGITS, "otp": CODE, "content": BODY}],
    }
    text_at = ("recipients", 0, "content")
    taken = (200, {"message": "5762846b4f8d285d378b4567", "type": "success"})
    refusals = [
        (200, {"message": "flow id missing", "type": "error"}, "", False),
        (200, {"message": "Invalid authkey", "type": "error", "code": "201"}, "201", False),
        (401, {"message": "Unauthorized", "type": "error", "code": "401"}, "401", False),
    ]

    def test_without_a_code_the_template_gets_the_text(self, gateway: GatewayServer) -> None:
        gateway.says(*self.taken)
        self.backend(gateway.url, sender="ACMEIN").send_messages([SMSMessage(TO, BODY)])
        fields = gateway.requests[0].fields
        assert fields["recipients"][0]["otp"] == BODY
        assert fields["sender"] == "ACMEIN"


class TestInforu(SMSBackendCase):
    module = "inforu"
    options = {"username": "ada", "api_token": "aaaa-bbbb", "sender": "Acme"}
    required = ("username", "api_token", "sender")
    secrets = ("aaaa-bbbb",)
    path = "/api/v2/SMS/SendSms"
    headers = {"authorization": basic("ada", "aaaa-bbbb")}
    fields = {
        "Data": {
            "Message": BODY,
            "Recipients": [{"Phone": DIGITS}],
            "Settings": {"Sender": "Acme"},
        }
    }
    text_at = ("Data", "Message")
    taken = (200, {"StatusId": 1, "StatusDescription": "Success", "Data": {"Recipients": 1}})
    refusals = [
        (200, {"StatusId": -2, "StatusDescription": "Bad user name or password"}, "-2", False),
        (200, {"StatusId": -13, "StatusDescription": "Blocked"}, "-13", False),
    ]


class TestFast2SMS(SMSBackendCase):
    module = "fast2sms"
    options = {"api_key": "f2s-KEY"}
    required = ("api_key",)
    secrets = ("f2s-KEY",)
    to = "+919876543210"
    path = "/dev/bulkV2"
    headers = {"authorization": "f2s-KEY"}
    fields = {
        "route": "q",
        "message": BODY,
        "language": "english",
        "flash": "0",
        "numbers": "9876543210",
    }
    text_at = ("message",)
    taken = (200, {"return": True, "request_id": "lwdtp7cjyqxvfe9", "message": ["Sent"]})
    refusals = [
        (401, {"return": False, "status_code": 412, "message": "Invalid"}, "412", False),
        (400, {"return": False, "status_code": 995, "message": "Spamming"}, "995", False),
        (200, {"return": False, "message": ["Invalid Numbers"]}, "", False),
    ]

    def test_text_beyond_ascii_is_declared_unicode(self, gateway: GatewayServer) -> None:
        gateway.says(*self.taken)
        self.backend(gateway.url).send_messages([self.message("आपका कोड")])
        assert gateway.requests[0].fields["language"] == "unicode"

    def test_a_registered_template_takes_the_code_alone(self, gateway: GatewayServer) -> None:
        gateway.says(*self.taken)
        backend = self.backend(gateway.url, route="dlt", sender="ACMEIN", template_id="111")
        backend.send_messages([self.message()])
        assert gateway.requests[0].fields == {
            "route": "dlt",
            "sender_id": "ACMEIN",
            "message": "111",
            "variables_values": CODE,
            "flash": "0",
            "numbers": "9876543210",
        }

    def test_the_otp_route_takes_the_code_alone(self, gateway: GatewayServer) -> None:
        gateway.says(*self.taken)
        self.backend(gateway.url, route="otp").send_messages([self.message()])
        fields = gateway.requests[0].fields
        assert fields["route"] == "otp"
        assert fields["variables_values"] == CODE
        assert BODY not in fields.values()

    def test_a_number_elsewhere_is_refused_before_the_call(self, gateway: GatewayServer) -> None:
        with pytest.raises(SMSError, match="India only") as caught:
            self.backend(gateway.url).send_messages([SMSMessage(TO, BODY, CODE)])
        assert not caught.value.retryable
        assert not gateway.requests

    @pytest.mark.parametrize(
        ("options", "named"),
        [
            ({"route": "x"}, "route"),
            ({"route": "dlt", "template_id": "1"}, "sender"),
            ({"route": "dlt", "sender": "ACMEIN"}, "template_id"),
        ],
    )
    def test_a_route_needs_its_options(self, options: dict[str, Any], named: str) -> None:
        with pytest.raises(ImproperlyConfigured, match=rf'\["{named}"\]'):
            self.backend("http://127.0.0.1:1", **options)


class TestSinch(SMSBackendCase):
    module = "sinch"
    options = {"service_plan_id": "plan1", "api_token": "sinch-tok", "sender": "12025550100"}
    required = ("service_plan_id", "api_token")
    secrets = ("sinch-tok",)
    path = "/xms/v1/plan1/batches"
    headers = {"authorization": "Bearer sinch-tok"}
    fields = {"from": "12025550100", "to": [TO], "body": BODY, "type": "mt_text"}
    text_at = ("body",)
    taken = (201, {"id": "01FC", "to": [DIGITS], "canceled": False})
    refusals = [
        (400, {"code": "syntax_invalid_json", "text": "no"}, "syntax_invalid_json", False),
        (403, {"code": "unauthorized", "text": "no"}, "unauthorized", False),
    ]

    def test_without_a_sender_the_plans_default_sends(self, gateway: GatewayServer) -> None:
        gateway.says(*self.taken)
        self.backend(gateway.url, sender="").send_messages([self.message()])
        assert "from" not in gateway.requests[0].fields


class TestPlivo(SMSBackendCase):
    module = "plivo"
    options = {"auth_id": "MAXXX", "auth_token": "plivo-tok", "sender": "14152223333"}
    required = ("auth_id", "auth_token", "sender")
    secrets = ("MAXXX", "plivo-tok")
    path = "/v1/Account/MAXXX/Message/"
    headers = {"authorization": basic("MAXXX", "plivo-tok")}
    fields = {"src": "14152223333", "dst": TO, "text": BODY}
    text_at = ("text",)
    taken = (202, {"message": "message(s) queued", "message_uuid": ["u1"], "api_id": "a1"})
    refusals = [
        (400, {"api_id": "a1", "error": f"{TO} is not valid"}, "", False),
        (202, {"api_id": "a1", "message_uuid": []}, "", False),
    ]


class TestSeven(SMSBackendCase):
    module = "seven"
    options = {"api_key": "seven-key", "sender": "Acme"}
    required = ("api_key",)
    secrets = ("seven-key",)
    path = "/api/sms"
    headers = {"x-api-key": "seven-key", "accept": "application/json"}
    fields = {"to": TO, "text": BODY, "from": "Acme"}
    text_at = ("text",)
    taken = (200, {"success": "100", "messages": [{"id": "1", "success": True, "error": None}]})
    refusals = [
        (200, b"900", "900", False),
        (200, {"success": "500", "messages": []}, "500", False),
        (200, {"success": "600", "messages": []}, "600", True),
        (401, b"900", "900", False),
    ]

    def test_a_bare_code_is_an_answer_too(self, gateway: GatewayServer) -> None:
        gateway.says(200, b"100")
        assert self.backend(gateway.url).send_messages([self.message()]) == 1


class TestInfobip(SMSBackendCase):
    module = "infobip"
    options = {"api_key": "ib-key", "sender": "Acme"}
    required = ("endpoint", "api_key", "sender")
    secrets = ("ib-key",)
    path = "/sms/3/messages"
    headers = {"authorization": "App ib-key"}
    fields = {
        "messages": [
            {"sender": "Acme", "destinations": [{"to": DIGITS}], "content": {"text": BODY}}
        ]
    }
    text_at = ("messages", 0, "content", "text")
    taken = (200, {"messages": [{"status": {"groupId": 1, "groupName": "PENDING", "id": 26}}]})
    refusals = [
        (
            200,
            {"messages": [{"status": {"groupName": "REJECTED", "name": "REJECTED_NETWORK"}}]},
            "REJECTED_NETWORK",
            False,
        ),
        (
            200,
            {"messages": [{"status": {"groupName": "REJECTED", "name": "REJECTED_SYSTEM_ERROR"}}]},
            "REJECTED_SYSTEM_ERROR",
            True,
        ),
        (401, {"errorCode": "E401", "description": "Unauthorized"}, "E401", False),
        (401, {"requestError": {"serviceException": {"messageId": "UNAUTHORIZED"}}}, "", False),
    ]


class TestClickatell(SMSBackendCase):
    module = "clickatell"
    options = {"api_key": "ck-key=="}
    required = ("api_key",)
    secrets = ("ck-key==",)
    path = "/v1/message"
    headers = {"authorization": "ck-key=="}
    fields = {"messages": [{"channel": "sms", "to": DIGITS, "content": BODY}]}
    text_at = ("messages", 0, "content")
    taken = (
        202,
        {"messages": [{"apiMessageId": "7", "accepted": True, "error": None}], "error": None},
    )
    refusals = [
        (
            207,
            {"messages": [{"accepted": False, "error": {"code": 105}}], "error": None},
            "105",
            False,
        ),
        (400, {"messages": [{"accepted": False, "error": {"code": 9}}]}, "9", False),
        (401, {"messages": [], "error": {"code": 1, "description": "no"}}, "1", False),
        (503, {"messages": [], "error": {"code": 3}}, "3", True),
    ]

    def test_a_two_way_number_goes_along(self, gateway: GatewayServer) -> None:
        gateway.says(*self.taken)
        self.backend(gateway.url, sender="+12027530410").send_messages([self.message()])
        assert gateway.requests[0].fields["messages"][0]["from"] == "12027530410"


class TestTelnyx(SMSBackendCase):
    module = "telnyx"
    options = {"api_key": "KEY-telnyx", "sender": "+15550001111"}
    required = ("api_key",)
    secrets = ("KEY-telnyx",)
    path = "/v2/messages"
    headers = {"authorization": "Bearer KEY-telnyx"}
    fields = {"from": "+15550001111", "to": TO, "text": BODY}
    text_at = ("text",)
    taken = (200, {"data": {"id": "4038", "to": [{"status": "queued"}], "errors": []}})
    refusals = [
        (422, {"errors": [{"code": "40310", "title": "Invalid 'to'"}]}, "40310", False),
        (401, {"errors": [{"code": "10009", "title": "Authentication failed"}]}, "10009", False),
        (429, {"errors": [{"code": "10011", "title": "Too many requests"}]}, "10011", True),
    ]

    def test_a_number_pool_sends_by_its_profile(self, gateway: GatewayServer) -> None:
        gateway.says(*self.taken)
        backend = self.backend(gateway.url, sender="", messaging_profile_id="p1")
        backend.send_messages([self.message()])
        fields = gateway.requests[0].fields
        assert fields == {"messaging_profile_id": "p1", "to": TO, "text": BODY}


@pytest.mark.parametrize(
    "case",
    [case for case in SMSBackendCase.__subclasses__() if "endpoint" not in case.required],
)
def test_a_gateway_is_called_by_tls_unless_told_otherwise(case: type[SMSBackendCase]) -> None:
    backend = get_connection(f"{BACKENDS}.{case.module}.SMSBackend", **case.options)
    assert backend.endpoint.startswith("https://")  # type: ignore[attr-defined]
    assert backend.timeout == 10  # type: ignore[attr-defined]

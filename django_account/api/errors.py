"""From an exception to the error envelope (core.md §3.2). Nobody else knows HTTP statuses."""

from __future__ import annotations

import logging
import re
from collections.abc import ItemsView
from types import FrameType
from typing import Any

from django.core.exceptions import (
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.core.signals import got_request_exception
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.views.debug import SafeExceptionReporterFilter
from rest_framework.views import set_rollback

from django_account import exceptions
from django_account.api.renderers import json_answer
from django_account.conf import conf

logger = logging.getLogger("django_account.request")

STATUS = {
    "database_query_order_null": 400,
    "general_access_forbidden": 401,
    "general_api_disabled": 403,
    "general_argument_invalid": 400,
    "general_bad_request": 400,
    "general_cursor_not_found": 400,
    "general_feature_unsupported": 400,
    "general_invalid_email": 400,
    "general_invalid_phone": 400,
    "general_phone_disabled": 503,
    "general_query_invalid": 400,
    "general_rate_limit_exceeded": 429,
    "general_request_too_large": 413,
    "general_route_not_found": 404,
    "general_server_error": 500,
    "general_service_disabled": 403,
    "general_smtp_disabled": 503,
    "general_unauthorized_scope": 401,
    "general_unknown": 500,
    "general_unknown_origin": 403,
    "password_personal_data": 400,
    "password_recently_used": 400,
    "project_id_missing": 403,
    "project_invalid_failure_url": 400,
    "project_invalid_success_url": 400,
    "project_key_expired": 401,
    "project_not_found": 404,
    "project_provider_disabled": 412,
    "project_provider_unsupported": 400,
    "provider_not_found": 404,
    "user_already_exists": 409,
    "user_auth_method_unsupported": 501,
    "user_authenticator_already_verified": 409,
    "user_authenticator_not_found": 404,
    "user_blocked": 403,
    "user_challenge_required": 401,
    "user_count_exceeded": 400,
    "user_deletion_prohibited": 400,
    "user_email_already_exists": 409,
    "user_email_already_verified": 409,
    "user_email_disposable": 400,
    "user_email_free": 400,
    "user_email_not_canonical": 400,
    "user_email_not_corporate": 400,
    "user_email_not_found": 400,
    "user_email_not_verified": 400,
    "user_identity_not_found": 404,
    "user_invalid_credentials": 401,
    "user_invalid_token": 401,
    "user_jwt_and_cookie_set": 403,
    "user_jwt_creation_denied": 403,
    "user_jwt_invalid": 401,
    "user_missing_id": 400,
    "user_more_factors_required": 401,
    "user_not_found": 404,
    "user_oauth2_bad_request": 400,
    "user_oauth2_provider_error": 500,
    "user_oauth2_provider_failure": 500,
    "user_oauth2_unauthorized": 401,
    "user_password_reset_required": 412,
    "user_phone_already_exists": 409,
    "user_phone_already_verified": 409,
    "user_phone_not_found": 400,
    "user_phone_not_verified": 400,
    "user_recovery_codes_already_exists": 409,
    "user_recovery_codes_not_found": 404,
    "user_session_already_exists": 401,
    "user_session_not_found": 404,
    "user_target_already_exists": 409,
    "user_target_not_found": 404,
    "user_unauthorized": 401,
}


# What a failure URL is told instead: there no client looks at a status line (mfa-oauth.md §9.8).
FAILURE_CODES = {"user_oauth2_provider_error": 424, "user_oauth2_provider_failure": 424}

# A provider's own statuses that are handed on; every other is 500 (core.md §3.2).
PASSED_ON = frozenset({400, 401, 402, 403, 404, 405, 408, 409, 410, 412, 416, 422, 429, 451, 503})


class HideEverything(SafeExceptionReporterFilter):
    """Keeps credentials out of the error reports that Django mails to ADMINS.

    Django's own filter knows the names of usual secrets, but not ours: cookies, session headers,
    the fields of a sign-in, and the local variables of whoever handles them.
    """

    hidden_settings = re.compile(
        SafeExceptionReporterFilter.hidden_settings.pattern + "|SESSION|COOKIE|JWT", re.IGNORECASE
    )

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        """Every field of the body is somebody's password, or might be."""
        names = [] if request is None else list(request.POST)
        return dict.fromkeys(names, self.cleansed_substitute)

    def get_traceback_frame_variables(
        self, request: HttpRequest | None, tb_frame: FrameType
    ) -> ItemsView[str, Any]:
        """The names of local variables without their values."""
        return dict.fromkeys(tb_frame.f_locals, self.cleansed_substitute).items()

    def get_safe_cookies(self, request: HttpRequest | None) -> dict[str, Any]:
        """The names of cookies without their values."""
        names = [] if request is None else list(request.COOKIES)
        return dict.fromkeys(names, self.cleansed_substitute)


def error_response(error: Exception, request: HttpRequest) -> HttpResponse:
    """The answer to an exception, whatever it is: the API never answers in another shape."""
    if isinstance(error, exceptions.AccountError):
        response = _envelope(error.message, status_of(error), error.code)
        if isinstance(error, exceptions.TooManyWrongAnswers):
            response["Retry-After"] = str(error.retry_after)
        return response
    if isinstance(error, RequestDataTooBig):
        return error_response(exceptions.RequestTooLarge(), request)
    if isinstance(error, (TooManyFieldsSent, TooManyFilesSent, SuspiciousOperation)):
        return error_response(exceptions.BadRequest(), request)
    if isinstance(error, UnreadablePostError):
        return error_response(exceptions.BadRequest("The request body broke off."), request)
    if isinstance(error, Http404):
        return error_response(exceptions.RouteNotFound(), request)
    # What Django does for its own views: a request's transaction (ATOMIC_REQUESTS) is undone, and
    # error trackers listen to both of the rest.
    set_rollback()
    got_request_exception.send(sender=None, request=request)
    logger.error(
        "Unexpected error at %s",
        request.path,
        exc_info=error,
        extra={"status_code": 500, "request": request},
    )
    return _envelope("Server Error", 500, "general_unknown")


def status_of(error: exceptions.AccountError) -> int:
    """The HTTP status of an error."""
    handed_on = getattr(error, "status", None)
    return handed_on if handed_on in PASSED_ON else STATUS[error.code]


def _envelope(message: str, status: int, code: str) -> HttpResponse:
    body = {"message": message, "code": status, "type": code, "version": conf.api_version}
    response = json_answer(body, status)
    response["Cache-Control"] = "no-cache, no-store, must-revalidate"
    response["Expires"] = "0"
    response["Pragma"] = "no-cache"
    return response

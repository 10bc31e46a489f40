"""What can go wrong, one class each, in one tree.

An error's ``code`` is the published error type that clients branch on; its HTTP status is the API's
business (``api/errors.py``). Messages are for people: what happened and how to mend it. The API
gives them in English; those that staff can meet are marked, for the admin to translate.
"""

from __future__ import annotations

from collections.abc import Sequence

from django_account.texts import gettext_noop


class AccountError(Exception):
    """Root of every error this package raises on purpose.

    Args:
        message: replaces the class's own message.
    """

    code = "general_server_error"
    message = gettext_noop("Something went wrong on our side. Try again later.")

    def __init__(self, message: str | None = None) -> None:
        if message is not None:
            self.message = message
        super().__init__(self.message)


# --- the request ------------------------------------------------------------------------------


class InvalidArgument(AccountError, ValueError):
    """A parameter is missing or breaks its rule.

    Args:
        name: the parameter, spelled as on the wire.
        reason: the rule it breaks; None when it is missing.
    """

    code = "general_argument_invalid"

    def __init__(self, name: str, reason: str | None = None) -> None:
        self.name = name
        self.reason = reason
        super().__init__(
            f'Param "{name}" is not optional.'
            if reason is None
            else f"Invalid `{name}` param: {reason}"
        )


class BadRequest(AccountError):
    """Refused without saying why, because the reason is somebody else's secret."""

    code = "general_bad_request"
    message = "This request cannot be processed. Check its values and try again."


class RequestTooLarge(AccountError):
    """The body is larger than the site accepts (DATA_UPLOAD_MAX_MEMORY_SIZE)."""

    code = "general_request_too_large"
    message = "The request body is too large. Send less data."


class RouteNotFound(AccountError):
    code = "general_route_not_found"
    message = "There is no such route. Check the path, the method and the API endpoint."


class UnknownOrigin(AccountError):
    """The browser page or app that sent the request is not among PLATFORMS.

    Args:
        origin: the value of the ``Origin`` header.
    """

    code = "general_unknown_origin"

    def __init__(self, origin: str) -> None:
        super().__init__(
            f"Origin {origin!r} is not allowed. "
            "Register its host name or scheme as a platform of this project."
        )


class ServiceDisabled(AccountError):
    code = "general_service_disabled"
    message = "This service is switched off."


class APIDisabled(AccountError):
    code = "general_api_disabled"
    message = "The REST API is switched off."


class UnauthorizedScope(AccountError, PermissionError):
    """The caller holds none of the scopes that the route asks for.

    The text is fixed by the contract (core.md §2).
    """

    code = "general_unauthorized_scope"


class QueryInvalid(AccountError, ValueError):
    code = "general_query_invalid"
    message = "The query or search cannot be answered. Check its attributes and values."


class CursorNotFound(AccountError, LookupError):
    code = "general_cursor_not_found"
    message = "There is nothing with the cursor's id."


class QueryOrderNull(AccountError):
    code = "database_query_order_null"
    message = "The cursor's row has no value to order by. Filter with isNotNull first."


class FeatureUnsupported(AccountError):
    """The site is not set up for what was asked."""

    code = "general_feature_unsupported"


class RateLimitExceeded(AccountError):
    code = "general_rate_limit_exceeded"
    message = "Too many requests. Wait until the limit resets, then try again."


# --- the project and its keys -----------------------------------------------------------------


class ProjectNotFound(AccountError):
    code = "project_not_found"
    message = "There is no project with this id. Check the value given to setProject."


class ProjectIdMissing(AccountError):
    code = "project_id_missing"
    message = "An API key needs its project's id in the X-Appwrite-Project header."


class PeopleOnly(AccountError, PermissionError):
    """An API key called what only a person can do."""

    code = "user_unauthorized"
    message = "This needs somebody who is signed in. Send a session or a JWT, not an API key."


class ApiKeyExpired(AccountError):
    code = "project_key_expired"
    message = "This API key has expired. Create a new one."


class UnknownApiKey(AccountError):
    code = "user_unauthorized"
    message = "This API key is not known here. Check the value given to setKey."


# --- who is calling ---------------------------------------------------------------------------


class InvalidJWT(AccountError):
    """A JWT is malformed, forged or expired.

    Args:
        reason: a few words on what is wrong with it.
    """

    code = "user_jwt_invalid"

    def __init__(self, reason: str) -> None:
        super().__init__(f"Failed to verify JWT. Invalid token: {reason}")


class JWTAndSession(AccountError):
    code = "user_jwt_and_cookie_set"
    message = "Send either a JWT or a session, not both."


class ImpersonationRefused(AccountError, PermissionError):
    """Staff may not act as this person."""

    code = "general_access_forbidden"
    message = "Nobody can act as this person."


class NotWhileImpersonating(AccountError, PermissionError):
    """Staff who act as a person may look at the account, but not change who it belongs to."""

    code = "general_access_forbidden"
    message = "Staff who act as somebody cannot do this. Ask the person, or use the admin."


class JWTCreationDenied(AccountError):
    code = "user_jwt_creation_denied"
    message = "A JWT cannot create another JWT. Use a session."


class UserBlocked(AccountError, PermissionError):
    code = "user_blocked"
    message = "This account is blocked. Ask the site's staff to unblock it."


class PasswordResetRequired(AccountError):
    code = "user_password_reset_required"
    message = "This account needs a new password first. Recover it by e-mail."


class MoreFactorsRequired(AccountError):
    code = "user_more_factors_required"
    message = "This session needs a second factor. Complete an MFA challenge."


class ChallengeRequired(AccountError):
    code = "user_challenge_required"
    message = "This needs a fresh proof. Complete an MFA challenge, then try again."


class FactorDisabled(AccountError):
    """A second factor is switched off (MFA_FACTORS). The text is the contract's."""

    code = "user_auth_method_unsupported"
    message = "The requested factor is disabled by the MFA factors policy"


class AuthMethodUnsupported(AccountError):
    """A way of signing in is switched off.

    Args:
        label: the method's published name, such as "Email / Password".
    """

    code = "user_auth_method_unsupported"

    def __init__(self, label: str) -> None:
        super().__init__(f"{label} authentication is disabled for this project")


class SessionAlreadyExists(AccountError):
    code = "user_session_already_exists"
    message = "Somebody is signed in already. End the current session first."


# --- accounts ---------------------------------------------------------------------------------


class UserNotFound(AccountError, LookupError):
    code = "user_not_found"
    message = gettext_noop("There is no such account.")


class UserAlreadyExists(AccountError):
    code = "user_already_exists"
    message = gettext_noop(
        "An account with this id, e-mail or phone exists already. Sign in, or use another."
    )


class UserCountExceeded(AccountError):
    code = "user_count_exceeded"
    message = "This project takes no more accounts. Ask the site's staff to raise the limit."


class DeletionProhibited(AccountError):
    """Other data of the site refers to the user and must go or be reassigned first."""

    code = "user_deletion_prohibited"
    message = gettext_noop(
        "This account cannot be deleted while other data refers to it. Ask the site's staff."
    )


class TargetAlreadyExists(AccountError):
    code = "user_target_already_exists"
    message = gettext_noop("This address is in use already. Use another.")


class TargetNotFound(AccountError, LookupError):
    code = "user_target_not_found"
    message = "There is no such target."


class ProviderNotFound(AccountError, LookupError):
    code = "provider_not_found"
    message = "There is no messaging provider with this id."


class EmailAlreadyExists(AccountError):
    code = "user_email_already_exists"
    message = gettext_noop("This e-mail address is in use already. Use another.")


class PhoneAlreadyExists(AccountError):
    code = "user_phone_already_exists"
    message = gettext_noop("This phone number is in use already. Use another.")


class InvalidPhone(AccountError, ValueError):
    code = "general_invalid_phone"
    message = "This phone number cannot be used. Write it as +, country code and number."


class InvalidEmail(AccountError, ValueError):
    code = "general_invalid_email"
    message = gettext_noop("This e-mail address cannot be used. Check its spelling.")


class EmailDisposable(AccountError):
    code = "user_email_disposable"
    message = gettext_noop("Disposable e-mail addresses are not accepted. Use a lasting one.")


class EmailNotCanonical(AccountError):
    code = "user_email_not_canonical"
    message = gettext_noop(
        "E-mail aliases are not accepted. Use the address without tags and extra dots."
    )


class EmailFree(AccountError):
    code = "user_email_free"
    message = gettext_noop("Addresses of free e-mail providers are not accepted. Use another.")


class EmailNotCorporate(AccountError):
    code = "user_email_not_corporate"
    message = gettext_noop("Only corporate e-mail addresses are accepted. Use your organisation's.")


class EmailNotFound(AccountError):
    code = "user_email_not_found"
    message = gettext_noop("This account has no e-mail address. Add one first.")


class EmailNotVerified(AccountError):
    code = "user_email_not_verified"
    message = "This e-mail address is not verified yet. Verify it first."


class EmailAlreadyVerified(AccountError):
    code = "user_email_already_verified"
    message = gettext_noop("This e-mail address is verified already.")


class PhoneNotFound(AccountError):
    code = "user_phone_not_found"
    message = gettext_noop("This account has no phone number. Add one first.")


class PhoneNotVerified(AccountError):
    code = "user_phone_not_verified"
    message = "This phone number is not verified yet. Verify it first."


class PhoneAlreadyVerified(AccountError):
    code = "user_phone_already_verified"
    message = gettext_noop("This phone number is verified already.")


class MailDisabled(AccountError):
    code = "general_smtp_disabled"
    message = gettext_noop("SMTP disabled")


class SMSDisabled(AccountError):
    code = "general_phone_disabled"
    message = gettext_noop("Phone provider not configured")


# --- credentials ------------------------------------------------------------------------------


class InvalidCredentials(AccountError):
    code = "user_invalid_credentials"
    message = "The credentials are not right. Check the e-mail and the password."


class PasswordRecentlyUsed(AccountError):
    code = "password_recently_used"
    message = gettext_noop("This password was used recently. Choose another.")


class PasswordPersonalData(AccountError):
    code = "password_personal_data"
    message = gettext_noop(
        "The password contains personal data. Leave out the id, name, e-mail and phone."
    )


class InvalidToken(AccountError):
    """A one-time secret is wrong, expired, used, somebody else's or of another kind."""

    code = "user_invalid_token"
    message = "This link or code is not valid, or not any more. Request a new one."


class TooManyWrongAnswers(RateLimitExceeded):
    """So many codes were wrong that none is looked at for a while, not even a right one.

    Args:
        retry_after: how long, in seconds.
    """

    message = "Too many wrong codes. Wait an hour, then try again."

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__()


class AuthenticatorNotFound(AccountError, LookupError):
    code = "user_authenticator_not_found"
    message = "This account has no such authenticator. Add one first."


class AuthenticatorAlreadyVerified(AccountError):
    code = "user_authenticator_already_verified"
    message = "This account has a verified authenticator already. Delete it first."


class RecoveryCodesNotFound(AccountError, LookupError):
    code = "user_recovery_codes_not_found"
    message = "This account has no recovery codes. Create them first."


class RecoveryCodesAlreadyExist(AccountError):
    code = "user_recovery_codes_already_exists"
    message = "This account has recovery codes already. Regenerate them instead."


class SessionNotFound(AccountError, LookupError):
    code = "user_session_not_found"
    message = gettext_noop("There is no such session.")


# --- accounts elsewhere -----------------------------------------------------------------------


class ProviderUnsupported(AccountError):
    code = "project_provider_unsupported"
    message = "There is no such OAuth2 provider here. Check its name."


class ProviderDisabled(AccountError):
    """The site has not set the provider up.

    Args:
        provider: its name for people.
        missing: what its settings lack; nothing when it is not on at all.
    """

    code = "project_provider_disabled"

    def __init__(self, provider: str, missing: Sequence[str] = ()) -> None:
        super().__init__(
            f"Sign-in by {provider} is not set up completely: it lacks {', '.join(missing)}."
            if missing
            else f"Sign-in by {provider} is switched off. Name it in OAUTH2_PROVIDERS."
        )


class InvalidState(AccountError):
    """A browser comes from a provider without a sign-in that it has begun: none, another browser's,
    another provider's, one that has been finished or has taken too long."""

    # What upstream calls a state that holds no address to go to (mfa-oauth.md §9.6).
    code = "project_invalid_success_url"
    message = (
        "This sign-in was not begun in this browser, has been finished, or has taken too long. "
        "Go back to the app and begin it again."
    )


class InvalidSuccessURL(AccountError):
    code = "project_invalid_success_url"
    message = "The success URL is not one of this project. Register its host as a platform."


class InvalidFailureURL(AccountError):
    code = "project_invalid_failure_url"
    message = "The failure URL is not one of this project. Register its host as a platform."


class OAuth2ProviderError(AccountError):
    """The provider sent the person back with an error, or refuses to renew a token.

    Args:
        provider: its name for people.
        reason: what it said.
        status: the HTTP status it answered with; None when it was no answer.
    """

    code = "user_oauth2_provider_error"

    def __init__(self, provider: str, reason: str = "", status: int | None = None) -> None:
        self.status = status
        said = f": {reason}" if reason else ""
        super().__init__(f"The {provider} OAuth2 provider returned an error{said}.")


class OAuth2ProviderFailure(AccountError):
    """The provider could not be talked to, or what it says cannot be believed.

    Args:
        provider: its name for people.
        reason: a few words on what is wrong.
    """

    code = "user_oauth2_provider_failure"

    def __init__(self, provider: str, reason: str) -> None:
        super().__init__(f"{provider} couldn't complete the sign-in: {reason}")


class OAuth2BadRequest(AccountError):
    code = "user_oauth2_bad_request"
    message = "The provider does not renew this session. Sign in by it again."


class OAuth2Unauthorized(AccountError):
    code = "user_oauth2_unauthorized"
    message = "The provider does not accept this site's credentials, or not any more."


class MissingProviderId(AccountError):
    code = "user_missing_id"
    message = "The provider did not say who you are. Try again, or use another one."


class NoProviderEmail(AccountError):
    code = "user_unauthorized"
    message = "OAuth provider failed to return email."


class OtherPersonSignedIn(AccountError):
    code = "user_unauthorized"
    message = "Somebody else is signed in now than when this began. Begin it again."


class IdentityNotFound(AccountError, LookupError):
    code = "user_identity_not_found"
    message = gettext_noop("There is no such identity.")


class LastWayToSignIn(AccountError):
    code = "user_deletion_prohibited"
    message = (
        "This is the only way to sign in to this account. Set a password or add another way first."
    )

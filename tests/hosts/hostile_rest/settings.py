"""A host whose REST_FRAMEWORK setting changes everything that can be changed."""

from tests.settings import *  # noqa: F403

_CLASSES = "tests.hosts.hostile_rest.classes."

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": [f"{_CLASSES}CamelRenderer"],
    "DEFAULT_PARSER_CLASSES": [f"{_CLASSES}CamelParser", f"{_CLASSES}Refusing"],
    "DEFAULT_AUTHENTICATION_CLASSES": [
        f"{_CLASSES}NobodyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
        "rest_framework.authentication.BasicAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [f"{_CLASSES}Nobody"],
    "DEFAULT_THROTTLE_CLASSES": [f"{_CLASSES}Never"],
    "DEFAULT_THROTTLE_RATES": {"anon": "1/day", "user": "1/day"},
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": f"{_CLASSES}NoAgreement",
    "DEFAULT_METADATA_CLASS": f"{_CLASSES}NoMetadata",
    "DEFAULT_VERSIONING_CLASS": f"{_CLASSES}VersionRequired",
    "DEFAULT_VERSION": "3",
    "ALLOWED_VERSIONS": ["3"],
    "VERSION_PARAM": "userId",
    "DEFAULT_PAGINATION_CLASS": f"{_CLASSES}OnePerPage",
    "PAGE_SIZE": 1,
    "DEFAULT_FILTER_BACKENDS": ["rest_framework.filters.SearchFilter"],
    "EXCEPTION_HANDLER": f"{_CLASSES}exception_handler",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
    "NON_FIELD_ERRORS_KEY": "oops",
    "DATETIME_FORMAT": "%d.%m.%Y",
    "COERCE_DECIMAL_TO_STRING": False,
    "STRICT_JSON": False,
    "UNICODE_JSON": False,
    "COMPACT_JSON": False,
    "NUM_PROXIES": 3,
    "URL_FORMAT_OVERRIDE": "total",
    "FORMAT_SUFFIX_KWARG": "sessionId",
}

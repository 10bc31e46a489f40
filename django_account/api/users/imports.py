"""People with the passwords that they had elsewhere, as hashes (users.md §4)."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse

from django_account.accounts.hashers import KINDS
from django_account.accounts.services import create_account
from django_account.api.serializers.user import (
    PlainHashUserInput,
    ScryptModifiedUserInput,
    ScryptUserInput,
    SHAUserInput,
    UserSerializer,
)
from django_account.api.users.base import PeopleViewSet, users_endpoint

_DECLARED: dict[str, Any] = {
    "scope": "users.write",
    "answers": UserSerializer,
    "status": 201,
    "event": "user.create",
}


class UserImportViewSet(PeopleViewSet):
    """One action for each kind of hash. The first sign-in renews it."""

    def created(self, kind: str, **parameters: Any) -> HttpResponse:
        imported = KINDS[kind].take(self.params["password"], parameters)
        account = create_account(
            account_id=self.params["userId"],
            email=self.params["email"],
            imported_hash=imported,
            name=self.params["name"],
            by_server=True,
        )
        self.concern(account)
        return self.person_answer(account, 201)

    @users_endpoint(**_DECLARED, params=PlainHashUserInput)
    def create_argon2_user(self, request: object, **path: str) -> HttpResponse:
        """Argon2, as a PHC string."""
        return self.created("argon2")

    @users_endpoint(**_DECLARED, params=PlainHashUserInput)
    def create_bcrypt_user(self, request: object, **path: str) -> HttpResponse:
        """bcrypt, as ``$2a$``, ``$2b$`` or ``$2y$``."""
        return self.created("bcrypt")

    @users_endpoint(**_DECLARED, params=PlainHashUserInput)
    def create_md5_user(self, request: object, **path: str) -> HttpResponse:
        """MD5 in hex."""
        return self.created("md5")

    @users_endpoint(**_DECLARED, params=PlainHashUserInput)
    def create_phpass_user(self, request: object, **path: str) -> HttpResponse:
        """phpass, as ``$P$`` or ``$H$``."""
        return self.created("phpass")

    @users_endpoint(**_DECLARED, params=SHAUserInput)
    def create_sha_user(self, request: object, **path: str) -> HttpResponse:
        """One of the SHA family in hex."""
        return self.created("sha", version=self.params["passwordVersion"] or "sha256")

    @users_endpoint(**_DECLARED, params=ScryptUserInput)
    def create_scrypt_user(self, request: object, **path: str) -> HttpResponse:
        """scrypt in hex."""
        return self.created(
            "scrypt",
            salt=self.params["passwordSalt"],
            costCpu=self.params["passwordCpu"],
            costMemory=self.params["passwordMemory"],
            costParallel=self.params["passwordParallel"],
            length=self.params["passwordLength"],
        )

    @users_endpoint(**_DECLARED, params=ScryptModifiedUserInput)
    def create_scrypt_modified_user(self, request: object, **path: str) -> HttpResponse:
        """Firebase's scrypt in Base64."""
        return self.created(
            "scryptMod",
            salt=self.params["passwordSalt"],
            saltSeparator=self.params["passwordSaltSeparator"],
            signerKey=self.params["passwordSignerKey"],
        )

"""Password hashers: our own, and those that verify hashes made elsewhere (users.md §4).

A hash of another system is verified as it is and renewed with the site's preferred hasher at the
next sign-in: Django does so for every hasher of PASSWORD_HASHERS but the first. A site that imports
people names them there::

    from django_account.accounts.hashers import FOREIGN_HASHERS

    PASSWORD_HASHERS = ["django_account.accounts.hashers.Argon2idHasher", …, *FOREIGN_HASHERS]

Whoever can import a hash chooses what verifying it costs. So costs are bounded when a hash is taken
(:meth:`ForeignHasher.take`), and again whenever one is verified.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from typing import Any, ClassVar, Final

import argon2
import bcrypt
from argon2.exceptions import Argon2Error, InvalidHashError
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from django.contrib.auth.hashers import (
    Argon2PasswordHasher,
    BasePasswordHasher,
    BCryptSHA256PasswordHasher,
    ScryptPasswordHasher,
    identify_hasher,
    is_password_usable,
    make_password,
)
from django.utils.crypto import constant_time_compare

from django_account.exceptions import InvalidArgument


class Argon2idHasher(Argon2PasswordHasher):
    """Argon2id with the parameters that OWASP's password storage sheet recommends.

    19 MiB, two passes, one lane: as strong as Django's 100 MiB default against guessing, at a fifth
    of its time and without a sign-in taking 100 MiB of memory. Same ``argon2`` format: hashes made
    by Django's hasher verify, and are renewed at the next sign-in.
    """

    memory_cost = 19_456
    time_cost = 2
    parallelism = 1


Parameters = dict[str, Any]


class ForeignHasher(BasePasswordHasher):
    """Verifies hashes of one kind; it makes none.

    The stored form is ``algorithm$parameter$…$hash``. The parameters are those of the wire's
    ``hashOptions``; texts among them are Base64, so that none can hold a ``$``.
    """

    # What the wire calls it.
    kind: ClassVar[str]
    # The wire's names of the parameters and their types, in the order of the stored form.
    parameters: ClassVar[dict[str, type]] = {}

    @classmethod
    def take(cls, hashed: str, parameters: Parameters) -> str:
        """The stored form of a hash made elsewhere. A hash that is none of its kind is taken too,
        as upstream does, and verifies nothing.

        Raises:
            InvalidArgument: verifying it would cost too much, or a parameter is impossible.
        """
        cls.check_cost(hashed, parameters)
        stored = [
            str(parameters[name]) if each is int else _pack(parameters[name])
            for name, each in cls.parameters.items()
        ]
        return "$".join([str(cls.algorithm), *stored, hashed])

    @classmethod
    def check_cost(cls, hashed: str, parameters: Parameters) -> None:
        """Refuse what would take too long or too much memory.

        Raises:
            InvalidArgument: it would.
        """

    def matches(self, password: str, hashed: str, parameters: Parameters) -> bool:
        """Whether the password is the one that was hashed; ValueError counts as no."""
        raise NotImplementedError

    def options(self, hashed: str, parameters: Parameters) -> dict[str, Any]:
        """The wire's ``hashOptions``."""
        return {"type": self.kind, **parameters}

    def encode(self, password: str, salt: str) -> str:
        raise NotImplementedError("Hashes of this kind are imported, never made.")

    def decode(self, encoded: str) -> dict[str, Any]:
        _, *stored, hashed = encoded.split("$", len(self.parameters) + 1)
        read = zip(self.parameters.items(), stored, strict=True)
        parameters = {name: int(v) if each is int else _unpack(v) for (name, each), v in read}
        return {"hashed": hashed, "parameters": parameters}

    def verify(self, password: str, encoded: str) -> bool:
        """A wrong password costs a hash of the preferred kind on top, as renewing a right one does:
        a cheap kind shall not tell that somebody has an account."""
        try:
            taken = self.decode(encoded)
            self.check_cost(**taken)
            matches = self.matches(password, **taken)
        except (ValueError, InvalidArgument):
            matches = False
        if not matches:
            make_password(password)
        return matches

    def must_update(self, encoded: str) -> bool:
        return True

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Nothing: see :meth:`verify`."""

    def safe_summary(self, encoded: str) -> Any:
        return {"algorithm": self.algorithm, "imported": True}


def _pack(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _unpack(packed: str) -> str:
    return urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode()


class ForeignMD5Hasher(ForeignHasher):
    """A plain MD5 in hex."""

    algorithm = "foreign_md5"
    kind = "md5"

    def matches(self, password: str, hashed: str, parameters: Parameters) -> bool:
        found = hashlib.md5(password.encode(), usedforsecurity=False).hexdigest()
        return constant_time_compare(found, hashed.lower())


# The wire's names of the SHA family's members, and hashlib's.
SHA_VERSIONS: Final = {
    "sha1": "sha1",
    "sha224": "sha224",
    "sha256": "sha256",
    "sha384": "sha384",
    "sha512/224": "sha512_224",
    "sha512/256": "sha512_256",
    "sha512": "sha512",
    "sha3-224": "sha3_224",
    "sha3-256": "sha3_256",
    "sha3-384": "sha3_384",
    "sha3-512": "sha3_512",
}


class ForeignSHAHasher(ForeignHasher):
    """A plain hash of the SHA family in hex."""

    algorithm = "foreign_sha"
    kind = "sha"
    parameters = {"version": str}

    @classmethod
    def check_cost(cls, hashed: str, parameters: Parameters) -> None:
        if parameters["version"] not in SHA_VERSIONS:
            raise InvalidArgument("passwordVersion", f"Choose from: {', '.join(SHA_VERSIONS)}.")

    def matches(self, password: str, hashed: str, parameters: Parameters) -> bool:
        found = hashlib.new(
            SHA_VERSIONS[parameters["version"]], password.encode(), usedforsecurity=False
        )
        return constant_time_compare(found.hexdigest(), hashed.lower())

    def options(self, hashed: str, parameters: Parameters) -> dict[str, Any]:
        """This kind alone has no ``type``."""
        return dict(parameters)


class ForeignBcryptHasher(ForeignHasher):
    """``$2a$``, ``$2b$``, ``$2x$`` or ``$2y$``, over the password's first 72 bytes."""

    algorithm = "foreign_bcrypt"
    kind = "bcrypt"

    # Doubles with each step: 15 is some two seconds.
    MAX_COST: Final = 15
    FORM: Final = re.compile(r"\$2[abxy]?\$([0-9]{2})\$[./A-Za-z0-9]{53}\Z")

    @classmethod
    def check_cost(cls, hashed: str, parameters: Parameters) -> None:
        if (form := cls.FORM.match(hashed)) and int(form[1]) > cls.MAX_COST:
            raise InvalidArgument("password", f"A bcrypt cost may be at most {cls.MAX_COST}.")

    def matches(self, password: str, hashed: str, parameters: Parameters) -> bool:
        if not self.FORM.match(hashed):
            return False
        # What every other library does silently, this one refuses.
        return bcrypt.checkpw(password.encode()[:72], hashed.encode())

    def options(self, hashed: str, parameters: Parameters) -> dict[str, Any]:
        form = self.FORM.match(hashed)
        return {"type": self.kind, "cost": int(form[1]) if form else 8}


class ForeignPHPassHasher(ForeignHasher):
    """phpass: the portable MD5 form of WordPress and phpBB, ``$P$`` or ``$H$``, or bcrypt."""

    algorithm = "foreign_phpass"
    kind = "phpass"

    ALPHABET: Final = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    # The logarithm of the rounds. WordPress has 13; 18 is some tenth of a second.
    MAX_LOG2: Final = 18
    FORM: Final = re.compile(r"\$[PH]\$([./0-9A-Za-z])([./0-9A-Za-z]{8})[./0-9A-Za-z]{22}\Z")

    @classmethod
    def check_cost(cls, hashed: str, parameters: Parameters) -> None:
        if (form := cls.FORM.match(hashed)) and cls.ALPHABET.index(form[1]) > cls.MAX_LOG2:
            raise InvalidArgument("password", f"phpass may take at most 2^{cls.MAX_LOG2} rounds.")
        ForeignBcryptHasher.check_cost(hashed, {})

    def matches(self, password: str, hashed: str, parameters: Parameters) -> bool:
        form = self.FORM.match(hashed)
        if form is None:
            return ForeignBcryptHasher().matches(password, hashed, {})
        secret = password.encode()
        found = hashlib.md5(form[2].encode() + secret, usedforsecurity=False).digest()
        for _ in range(1 << self.ALPHABET.index(form[1])):
            found = hashlib.md5(found + secret, usedforsecurity=False).digest()
        return constant_time_compare(self._spell(found), hashed[12:])

    def _spell(self, digest: bytes) -> str:
        """Base64 as phpass writes it: least significant bits first."""
        spelled = ""
        for start in range(0, len(digest), 3):
            group = digest[start : start + 3]
            number = int.from_bytes(group, "little")
            spelled += "".join(
                self.ALPHABET[number >> shift & 63] for shift in range(0, 6 * len(group) + 1, 6)
            )
        return spelled

    def options(self, hashed: str, parameters: Parameters) -> dict[str, Any]:
        return {
            "type": self.kind,
            "iteration_count_log2": 8,
            "portable_hashes": False,
            "random_state": "",
        }


class ForeignScryptHasher(ForeignHasher):
    """scrypt in hex, its parameters beside it. "Memory" is the block size r, not bytes."""

    algorithm = "foreign_scrypt"
    kind = "scrypt"
    parameters = {
        "salt": str,
        "costCpu": int,
        "costMemory": int,
        "costParallel": int,
        "length": int,
    }

    # 128·N·r bytes: 128 MiB, the strongest of OWASP's choices; and twice its work.
    MAX_MEMORY: Final = 128 * 2**20
    MAX_WORK: Final = 2**21
    MAX_LENGTH: Final = 256

    @classmethod
    def check_cost(cls, hashed: str, parameters: Parameters) -> None:
        cpu, memory, parallel, length = (
            parameters[name] for name in ("costCpu", "costMemory", "costParallel", "length")
        )
        if cpu < 2 or cpu & (cpu - 1):
            raise InvalidArgument("passwordCpu", "Value must be a power of two above 1.")
        for name, value in (("passwordMemory", memory), ("passwordParallel", parallel)):
            if value < 1:
                raise InvalidArgument(name, "Value must be at least 1.")
        if not 16 <= length <= cls.MAX_LENGTH:
            raise InvalidArgument(
                "passwordLength", f"Value must be a valid range between 16 and {cls.MAX_LENGTH}."
            )
        blocks = memory * max(cpu, parallel)
        if blocks * 128 > cls.MAX_MEMORY or cpu * memory * parallel > cls.MAX_WORK:
            raise InvalidArgument("passwordCpu", "These parameters cost more than is taken here.")

    def matches(self, password: str, hashed: str, parameters: Parameters) -> bool:
        found = hashlib.scrypt(
            password.encode(),
            salt=parameters["salt"].encode(),
            n=parameters["costCpu"],
            r=parameters["costMemory"],
            p=parameters["costParallel"],
            dklen=parameters["length"],
            maxmem=2 * self.MAX_MEMORY + 2**20,
        )
        return constant_time_compare(found.hex(), hashed.lower())


class ForeignScryptModifiedHasher(ForeignHasher):
    """Firebase's variant: scrypt makes an AES key, which encrypts the project's signer key."""

    algorithm = "foreign_scryptmod"
    kind = "scryptMod"
    parameters = {"salt": str, "saltSeparator": str, "signerKey": str}

    @classmethod
    def check_cost(cls, hashed: str, parameters: Parameters) -> None:
        for name, value in parameters.items():
            try:
                b64decode(value, validate=True)
            except ValueError:
                wire = f"password{name[0].upper()}{name[1:]}"
                raise InvalidArgument(wire, "Value must be Base64.") from None

    def matches(self, password: str, hashed: str, parameters: Parameters) -> bool:
        key = hashlib.scrypt(
            password.encode(),
            salt=b64decode(parameters["salt"]) + b64decode(parameters["saltSeparator"]),
            n=16_384,
            r=8,
            p=1,
            dklen=64,
        )
        encryptor = Cipher(algorithms.AES(key[:32]), modes.CTR(bytes(16))).encryptor()
        found = encryptor.update(b64decode(parameters["signerKey"])) + encryptor.finalize()
        return constant_time_compare(b64encode(found).decode(), hashed)


class ForeignArgon2Hasher(ForeignHasher):
    """Argon2i, d or id as a PHC string."""

    algorithm = "foreign_argon2"
    kind = "argon2"

    # Above what Django itself makes (100 MiB, two passes), and enough for what others make.
    MAX_MEMORY_KIB: Final = 256 * 2**10
    MAX_WORK_KIB: Final = 2**20
    MAX_LANES: Final = 16

    @classmethod
    def check_cost(cls, hashed: str, parameters: Parameters) -> None:
        try:
            found = argon2.extract_parameters(hashed)
        except (InvalidHashError, ValueError):
            return
        if (
            found.memory_cost > cls.MAX_MEMORY_KIB
            or found.memory_cost * found.time_cost > cls.MAX_WORK_KIB
            or found.time_cost > cls.MAX_WORK_KIB // 2**10
            or found.parallelism > cls.MAX_LANES
        ):
            raise InvalidArgument("password", "This Argon2 hash costs more than is taken here.")

    def matches(self, password: str, hashed: str, parameters: Parameters) -> bool:
        try:
            return bool(argon2.PasswordHasher().verify(hashed, password))
        except (Argon2Error, InvalidHashError):
            return False

    def options(self, hashed: str, parameters: Parameters) -> dict[str, Any]:
        return argon2_options(hashed)


class ImportedHasher(BasePasswordHasher):
    """Stands in the user's password column for a hash that does not fit there.

    Django's own column holds 128 characters, Firebase's hash and its keys need more: they are kept
    with the account (``Account.imported_hash``), whose public id is all that the column holds.
    """

    algorithm = "foreign"

    def encode(self, password: str, salt: str) -> str:
        raise NotImplementedError("Hashes of this kind are imported, never made.")

    def verify(self, password: str, encoded: str) -> bool:
        from django_account.accounts.models import Account

        account_id = encoded.partition("$")[2]
        rows = Account.objects.filter(public_id=account_id)
        kept = rows.values_list("imported_hash", flat=True).first()
        if not kept:
            make_password(password)
            return False
        return _BY_ALGORITHM[kept.partition("$")[0]]().verify(password, kept)

    def must_update(self, encoded: str) -> bool:
        return True

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Nothing: see :meth:`ForeignHasher.verify`."""

    def safe_summary(self, encoded: str) -> Any:
        return {"algorithm": self.algorithm, "imported": True}


_CLASSES: Final[tuple[type[ForeignHasher], ...]] = (
    ForeignArgon2Hasher,
    ForeignBcryptHasher,
    ForeignMD5Hasher,
    ForeignPHPassHasher,
    ForeignSHAHasher,
    ForeignScryptHasher,
    ForeignScryptModifiedHasher,
)

# By the names of the wire.
KINDS: Final = {each.kind: each for each in _CLASSES}

_BY_ALGORITHM: Final = {each.algorithm: each for each in _CLASSES}

# PBKDF2's: four times what Django makes today, some two seconds.
MAX_ITERATIONS: Final = 5_000_000


def require_affordable(encoded: str) -> None:
    """Refuse a hash in Django's own form that would cost too much to verify, or break there.

    A kind that the site's PASSWORD_HASHERS lack, and one that tells nothing of itself, passes.

    Raises:
        InvalidArgument: it would.
    """
    algorithm, _, rest = encoded.partition("$")
    if algorithm == ImportedHasher.algorithm:
        # It would stand for somebody else's.
        raise InvalidArgument("password", "This is no hash.")
    try:
        hasher = identify_hasher(encoded)
    except ValueError:
        return
    try:
        found = hasher.decode(encoded)
    except NotImplementedError:
        return
    except (Argon2Error, ArithmeticError, AssertionError, LookupError, TypeError, ValueError):
        raise InvalidArgument("password", f"This is no hash of {algorithm[:50]!r}.") from None
    if isinstance(hasher, ForeignHasher):
        hasher.check_cost(**found)
    elif isinstance(hasher, Argon2PasswordHasher):
        ForeignArgon2Hasher.check_cost(f"${rest}", {})
    elif isinstance(hasher, BCryptSHA256PasswordHasher):
        ForeignBcryptHasher.check_cost(rest, {})
    elif isinstance(hasher, ScryptPasswordHasher):
        parameters = {
            "costCpu": found["work_factor"],
            "costMemory": found["block_size"],
            "costParallel": found["parallelism"],
            "length": 64,
        }
        ForeignScryptHasher.check_cost(encoded, parameters)
    elif not 0 < found.get("iterations", 1) <= MAX_ITERATIONS:
        raise InvalidArgument("password", f"A hash may take at most {MAX_ITERATIONS} rounds.")


# What a site that imports people adds to its PASSWORD_HASHERS.
FOREIGN_HASHERS: Final = [f"{__name__}.{each.__name__}" for each in (*_CLASSES, ImportedHasher)]


def argon2_options(phc: str) -> dict[str, Any]:
    """The wire's options of an Argon2 hash. 1.9.6 writes snake case, its SDKs document camel case:
    both are there."""
    try:
        found = argon2.extract_parameters(phc)
        memory, passes, lanes = found.memory_cost, found.time_cost, found.parallelism
    except (InvalidHashError, ValueError):
        ours = Argon2idHasher
        memory, passes, lanes = ours.memory_cost, ours.time_cost, ours.parallelism
    return {
        "type": "argon2",
        "memory_cost": memory,
        "time_cost": passes,
        "threads": lanes,
        "memoryCost": memory,
        "timeCost": passes,
    }


def describe(encoded: str) -> tuple[str | None, str, dict[str, Any]]:
    """What the wire tells servers of a stored password.

    Returns:
        the hash, None when there is no password; the kind's name; its options.
    """
    if not encoded or not is_password_usable(encoded):
        return None, "argon2", argon2_options("")
    algorithm, _, rest = encoded.partition("$")
    if (foreign := _BY_ALGORITHM.get(algorithm)) is not None:
        taken = foreign().decode(encoded)
        return taken["hashed"], foreign.kind, foreign().options(**taken)
    if algorithm == "argon2":
        return f"${rest}", "argon2", argon2_options(f"${rest}")
    # Django's own "md5" and "scrypt" are other things than the wire's.
    kind = f"django_{algorithm}" if algorithm in KINDS else algorithm
    return encoded, kind, {"type": kind}

"""Hashes of known passwords: users.md §4, and public ones of the algorithms' own authors."""

from __future__ import annotations

from base64 import b64encode
from typing import Any, NamedTuple


class Vector(NamedTuple):
    """A hash made elsewhere.

    Attributes:
        kind: as the wire calls it.
        hashed: the hash.
        password: what was hashed.
        options: the parameters beside it, by their names in ``hashOptions``.
    """

    kind: str
    hashed: str
    password: str
    options: dict[str, Any] = {}


HORSE = "correct horse"

VECTORS = {
    # users.md §4
    "md5": Vector("md5", "3cb4e732631f47e6eb961f34554b7cde", HORSE),
    "sha3-256": Vector(
        "sha",
        "e2bb427c913c99e9663c5d0e97472bd8618656cabbca6274c2743b0ebf107ce3",
        HORSE,
        {"version": "sha3-256"},
    ),
    "phpass": Vector("phpass", "$P$9abcdefghPDonBA7cb6Wv7y6IfLfEF.", HORSE),
    "scrypt": Vector(
        "scrypt",
        "09057a01ffef8207998379c6b199dfdc2d08c29f72034fbbd203c1768c8f53c8",
        HORSE,
        {"salt": "pepper", "costCpu": 1024, "costMemory": 8, "costParallel": 1, "length": 32},
    ),
    "scryptMod": Vector(
        "scryptMod",
        "wAAbPLQcukZcSB2xWdBvZKXcAvZ6teDRhwlyqJH7ul7MQUuLp7o+c8nfERunv2Yf4tqqH3/SSpp6Y+dZCda4CA==",
        HORSE,
        {
            "salt": "c2FsdC1ieXRlcw==",
            "saltSeparator": "Bw==",
            "signerKey": b64encode(bytes(range(64))).decode(),
        },
    ),
    # RFC 7914 §12
    "scrypt, RFC 7914": Vector(
        "scrypt",
        "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d98"
        "30dac727afb94a83ee6d8360cbdfa2cc0640",
        "password",
        {"salt": "NaCl", "costCpu": 1024, "costMemory": 8, "costParallel": 16, "length": 64},
    ),
    # The crypt_blowfish test suite of Openwall.
    "bcrypt 2a": Vector(
        "bcrypt", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"
    ),
    "bcrypt 2y": Vector(
        "bcrypt", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"
    ),
    # firebase/scrypt's README.
    "Firebase's own": Vector(
        "scryptMod",
        "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
        "user1password",
        {
            "salt": "42xEC+ixf3L2lw==",
            "saltSeparator": "Bw==",
            "signerKey": (
                "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA=="
            ),
        },
    ),
    # The test vectors of the Argon2 reference implementation.
    "argon2i": Vector(
        "argon2",
        "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8",
        "password",
    ),
    "argon2id": Vector(
        "argon2",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "password",
    ),
    # phpass's own test.php.
    "phpass of Openwall": Vector("phpass", "$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0", "test12345"),
}

# FIPS 180-4 and 202: "abc".
SHA_OF_ABC = {
    "sha1": "a9993e364706816aba3e25717850c26c9cd0d89d",
    "sha224": "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
    "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "sha384": (
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c8"
        "25a7"
    ),
    "sha512": (
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3fe"
        "ebbd454d4423643ce80e2a9ac94fa54ca49f"
    ),
    "sha512/224": "4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa",
    "sha512/256": "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23",
    "sha3-224": "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf",
    "sha3-256": "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
    "sha3-384": (
        "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf22837"
        "6d25"
    ),
    "sha3-512": (
        "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c91a7ec57647e3"
        "934057340b4cf408d5a56592f8274eec53f0"
    ),
}

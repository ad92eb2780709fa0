"""What a key looks like, and the hash that is kept of it.

A key is 256 random bits in base 62 between a prefix, by which scanners of repositories and logs
find a key that leaked, and a checksum, by which a wrong one is known without asking the database.

It is kept as plain SHA-256. Slow, salted hashes protect what people choose, since that can be
guessed; 256 random bits cannot, however fast the hash is, and no two keys are alike. A slow hash
would only make each request slow, and a flood of wrong keys a weapon.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib

PREFIX = "traffickey_"
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM_BYTES = 32
_RANDOM_DIGITS, _SUM_DIGITS = 43, 6  # 62^43 > 2^256, 62^6 > 2^32
_FORM = re.compile(f"{PREFIX}[0-9A-Za-z]{{{_RANDOM_DIGITS + _SUM_DIGITS}}}")


def new_key() -> str:
    """A key that nobody has seen: 256 bits of the system's generator."""
    number = int.from_bytes(secrets.token_bytes(_RANDOM_BYTES))
    body = PREFIX + _digits(number, _RANDOM_DIGITS)
    return body + _checksum(body)


def hash_of(key: str) -> bytes | None:
    """SHA-256 of a key (32 bytes); None for a text that is no key, by its form or checksum."""
    if not _FORM.fullmatch(key) or _checksum(key[:-_SUM_DIGITS]) != key[-_SUM_DIGITS:]:
        return None
    return hashlib.sha256(key.encode()).digest()


def _checksum(body: str) -> str:
    return _digits(zlib.crc32(body.encode()), _SUM_DIGITS)


def _digits(number: int, length: int) -> str:
    found: list[str] = []
    for _ in range(length):
        number, digit = divmod(number, len(_ALPHABET))
        found.append(_ALPHABET[digit])
    return "".join(reversed(found))

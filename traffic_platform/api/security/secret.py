"""Creation of API keys, and the hash that is stored.

A key is 256 random bits in base 62 between a prefix and a checksum. Scanners of repositories and
logs find a leaked key by its prefix. The checksum rejects most wrong keys without the database.

The database stores the SHA-256 of the key. Slow, salted hashes protect passwords that people choose
and others can guess. Nobody can guess 256 random bits, however fast the hash is, and no two keys
are equal. A slow hash would only slow down each request and make a flood of wrong keys a weapon.
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
    """Return a new key with 256 bits from the system's random generator."""
    number = int.from_bytes(secrets.token_bytes(_RANDOM_BYTES))
    body = PREFIX + _digits(number, _RANDOM_DIGITS)
    return body + _checksum(body)


def hash_of(key: str) -> bytes | None:
    """Return the SHA-256 of a key (32 bytes); None if its form or checksum is invalid."""
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

"""The mark of our own on what we publish, and how ingest knows it again.

Ingest reads the topic that the platform publishes to, because others publish there too. A message
of our own carries one header that says where it came from, signed together with its value. Stream
processors pass headers on by default, so the header alone proves nothing: who has altered the
value, or made the header up, has no signature, and such a message is ingested like any other.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from traffic_platform.kafka.messages import Fetched, Headers
from traffic_platform.postgres.identity import Identity

ORIGIN_HEADER = "traffic-origin"
"""`platform id/topic_no/partition/offset/replay_no/signature`; replay_no is 0 for what was no
replay, the signature is 32 hexadecimal digits."""

QUARANTINED_HEADER = "traffic-quarantined"
"""The same for a message of the quarantine topic, with `quarantine/` after the platform. It is no
echo: who sends such a message again wants it to be tried again."""

_KINDS = {ORIGIN_HEADER: b"", QUARANTINED_HEADER: b"quarantine/"}

_SIGNATURE_BYTES = 16
T = TypeVar("T")


@dataclass(frozen=True)
class Origin:
    """The message that a published one was made of; `replay_no` where a replay let it in."""

    topic_no: int
    partition: int
    offset: int
    replay_no: int = 0


class Signer:
    """Makes and reads the header. The signature is BLAKE2b (RFC 7693) with the platform's key."""

    def __init__(self, identity: Identity) -> None:
        self._platform = f"{identity.platform_id}/".encode()
        self._key = identity.echo_key

    def headers(
        self,
        topic_no: int,
        partition: int,
        offsets: Iterable[int],
        replay_nos: Iterable[int],
        values: Iterable[bytes],
        name: str = ORIGIN_HEADER,
    ) -> list[bytes]:
        """The value of the header `name` for each published message of one log."""
        prefix = b"%s%s%d/%d/" % (self._platform, _KINDS[name], topic_no, partition)
        places = [b"%s%d/%d/" % (prefix, *pair) for pair in zip(offsets, replay_nos, strict=True)]
        return [
            place + self._signature(place, value)
            for place, value in zip(places, values, strict=True)
        ]

    def origin(
        self, headers: Headers | None, value: bytes | None, name: str = ORIGIN_HEADER
    ) -> Origin | None:
        """Where a message of our own came from; None for everybody else's, and for altered ones."""
        prefix = self._platform + _KINDS[name]
        for header, data in headers or ():
            if header == name and data is not None and data.startswith(prefix):
                place, slash, signature = data.rpartition(b"/")
                place += slash
                if hmac.compare_digest(signature, self._signature(place, value or b"")):
                    numbers = place[len(prefix) :].split(b"/")[:-1]
                    # What is signed as another kind of message has another form here.
                    return _origin(numbers) if all(map(bytes.isdigit, numbers)) else None
        return None

    def _signature(self, place: bytes, value: bytes) -> bytes:
        signed = hashlib.blake2b(place + value, key=self._key, digest_size=_SIGNATURE_BYTES)
        return signed.hexdigest().encode()


def without_own_messages(fetched: Fetched, signer: Signer) -> Fetched:
    """What was fetched but for messages of our own, which are counted in `reached`."""
    if not any(fetched.headers):
        return fetched
    ours = np.fromiter(
        (
            headers is not None and signer.origin(headers, value) is not None
            for headers, value in zip(fetched.headers, fetched.values, strict=True)
        ),
        dtype=np.bool_,
        count=len(fetched),
    )
    if not ours.any():
        return fetched
    echoes = np.bincount(fetched.place[ours], minlength=len(fetched.places)).tolist()
    counted = {
        where: replace(fetched.reached[where], echoes=number)
        for where, number in zip(fetched.places, echoes, strict=True)
    }
    rest = np.flatnonzero(~ours)
    return replace(
        fetched,
        place=fetched.place[rest],
        offset=fetched.offset[rest],
        broker_us=fetched.broker_us[rest],
        keys=_some(fetched.keys, rest),
        values=_some(fetched.values, rest),
        headers=_some(fetched.headers, rest),
        reached={**fetched.reached, **counted},
    )


def _some(items: Sequence[T], rows: npt.NDArray[np.int64]) -> list[T]:
    return [items[row] for row in rows.tolist()]


def _origin(numbers: Sequence[bytes]) -> Origin:
    topic_no, partition, offset, replay_no = map(int, numbers)
    return Origin(topic_no, partition, offset, replay_no)

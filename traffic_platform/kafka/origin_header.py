"""The signed header of our own messages, by which ingest recognizes them.

Ingest reads the topic that the platform publishes to, because others publish there too. Each of our
own messages carries a header with its source, signed together with its value. Stream processors
forward headers by default, so the header alone proves nothing. A message whose value was altered,
or whose header was forged, has no valid signature and is ingested like any other message.
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
"""`platform id/topic_no/partition/offset/replay_no/signature`. replay_no is 0 unless the message
was reprocessed from quarantine; the signature has 32 hexadecimal digits."""

QUARANTINED_HEADER = "traffic-quarantined"
"""The same for a message of the quarantine topic, with `quarantine/` after the platform. Ingest
does not skip such a message: its sender wants it to be processed again."""

_KINDS = {ORIGIN_HEADER: b"", QUARANTINED_HEADER: b"quarantine/"}

_SIGNATURE_BYTES = 16
T = TypeVar("T")


@dataclass(frozen=True)
class Origin:
    """The source of a published message; `replay_no` is 0 unless it was reprocessed."""

    topic_no: int
    partition: int
    offset: int
    replay_no: int = 0


class Signer:
    """Write and read the header. The signature is BLAKE2b (RFC 7693) with the platform's key."""

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
        """Return the value of the header `name` for each message of one partition generation."""
        prefix = b"%s%s%d/%d/" % (self._platform, _KINDS[name], topic_no, partition)
        sources = [b"%s%d/%d/" % (prefix, *pair) for pair in zip(offsets, replay_nos, strict=True)]
        return [
            source + self._signature(source, value)
            for source, value in zip(sources, values, strict=True)
        ]

    def origin(
        self, headers: Headers | None, value: bytes | None, name: str = ORIGIN_HEADER
    ) -> Origin | None:
        """Return the source of one of our own messages, None for any other or an altered one."""
        prefix = self._platform + _KINDS[name]
        for header, data in headers or ():
            if header == name and data is not None and data.startswith(prefix):
                source, slash, signature = data.rpartition(b"/")
                source += slash
                if hmac.compare_digest(signature, self._signature(source, value or b"")):
                    numbers = source[len(prefix) :].split(b"/")[:-1]
                    # The signed header of another kind of message has another form here.
                    return _origin(numbers) if all(map(bytes.isdigit, numbers)) else None
        return None

    def _signature(self, source: bytes, value: bytes) -> bytes:
        signed = hashlib.blake2b(source + value, key=self._key, digest_size=_SIGNATURE_BYTES)
        return signed.hexdigest().encode()


def without_own_messages(fetched: Fetched, signer: Signer) -> Fetched:
    """Return the messages that are not our own; `reached` counts our own ones."""
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
    keys = fetched.partition_keys
    counts = np.bincount(fetched.key_index[ours], minlength=len(keys)).tolist()
    counted = {
        key: replace(fetched.reached[key], echoes=count)
        for key, count in zip(keys, counts, strict=True)
    }
    rest = np.flatnonzero(~ours)
    return replace(
        fetched,
        key_index=fetched.key_index[rest],
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

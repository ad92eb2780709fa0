"""Truncation of a broker's files, as after a lost disk write or the restore of a copy."""

from __future__ import annotations

import struct

from traffic_platform.stack.kafka import Kafka

_BATCH_HEAD = struct.Struct(">qi")  # base offset; bytes that follow
_LAST_OFFSET_DELTA = struct.Struct(">i")
_LAST_OFFSET_DELTA_AT = 23  # Kafka's documentation, "Message Format", record batch


def cut_log(kafka: Kafka, topic: str, partition: int, end: int) -> int:
    """Remove the record batches beyond offset `end` from a stopped broker's log.

    Return the new end of the log. Only the first segment may exist.
    """
    folder = kafka.folder / "data" / f"{topic}-{partition}"
    [segment] = folder.glob("*.log")
    data = segment.read_bytes()
    at, reached = 0, 0
    while at < len(data):
        base, length = _BATCH_HEAD.unpack_from(data, at)
        [delta] = _LAST_OFFSET_DELTA.unpack_from(data, at + _LAST_OFFSET_DELTA_AT)
        if base + delta + 1 > end:
            break
        at, reached = at + _BATCH_HEAD.size + length, base + delta + 1
    segment.write_bytes(data[:at])
    # The broker recreates indexes and snapshots from the segment.
    for derived in (*folder.glob("*index"), *folder.glob("*.snapshot")):
        derived.unlink()
    return reached

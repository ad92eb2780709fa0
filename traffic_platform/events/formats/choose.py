"""The choice of a format by what each message looks like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np

from traffic_platform.events.columns import Quarantined
from traffic_platform.events.formats.base import Read, SentEvents, TextFormat, Values


def choose_by_message(
    formats: Sequence[TextFormat], read_others: Read, naive_zone: ZoneInfo | None
) -> Read:
    """Return a reader that gives each message to the first format that claims it.

    `read_others` reads the messages that no format claims.
    """
    reads = [*(form.compile(naive_zone) for form in formats), read_others]

    def choose(value: bytes | None) -> int:
        claims = (number for number, form in enumerate(formats) if value and form.claims(value))
        return next(claims, len(formats))

    def read(values: Values) -> tuple[SentEvents, list[Quarantined]]:
        chosen = np.fromiter(map(choose, values), np.int64, len(values))
        parts: list[SentEvents] = []
        rejected: list[Quarantined] = []
        for number, read_part in enumerate(reads):
            positions = np.flatnonzero(chosen == number)
            sent, refused = read_part([values[position] for position in positions.tolist()])
            parts.append(replace(sent, index=positions[sent.index]))
            rejected += [replace(item, index=int(positions[item.index])) for item in refused]
        joined = SentEvents.concatenate(parts)
        return joined.take(np.argsort(joined.index, kind="stable")), rejected

    return read

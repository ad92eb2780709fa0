"""Outcomes that other rules than today's decided. They may differ: they are stale, not wrong."""

from __future__ import annotations

import numpy as np

from traffic_platform.postgres.connections import Connection
from traffic_platform.statements import statement
from traffic_platform.verify.ledger_sums import PartitionGeneration


class OtherRules:
    """The outcomes of one generation that `rules_version` did not decide.

    The rules of a reprocessing decided the events that it stored and the messages that it left in
    quarantine for another reason. The rules of a backfill decided the events that it changed. The
    rules of the ingest run decided everything else.
    """

    def __init__(
        self, connection: Connection, generation: PartitionGeneration, rules_version: str
    ) -> None:
        parameters = {**generation.numbers, "rules_version": rules_version}
        self._rules_version = rules_version
        self._ingested = Ranges(
            connection.execute(statement("verify/stale_ranges"), parameters).fetchall()
        )
        self._reprocessed: dict[int, bool] = dict(
            connection.execute(statement("verify/replays_of_log"), parameters).fetchall()
        )
        self._backfilled: dict[int, bool] = dict(
            connection.execute(statement("verify/rebuilt_of_log"), parameters).fetchall()
        )

    def decided(self, offset: int, batch_id: int | None, judged_by: str | None) -> bool:
        """Return True if other rules decided the outcome of an offset.

        `batch_id` is the batch of its event, None without an event. `judged_by` names the rules of
        the reprocessing that left it in quarantine, if any.
        """
        if judged_by is not None:
            return judged_by != self._rules_version
        if offset in self._backfilled:
            return self._backfilled[offset]
        if batch_id in self._reprocessed:
            return self._reprocessed[batch_id]
        return offset in self._ingested


class Ranges:
    """Sorted ranges of offsets, without overlap."""

    def __init__(self, rows: list[tuple[int, int]]) -> None:
        self._begin = np.array([row[0] for row in rows], dtype=np.int64)
        self._end = np.array([row[1] for row in rows], dtype=np.int64)

    def __contains__(self, offset: int) -> bool:
        at = int(np.searchsorted(self._begin, offset, side="right")) - 1
        return at >= 0 and offset < int(self._end[at])

"""What other rules than today's decided: it may differ, and is stale then, not wrong."""

from __future__ import annotations

import numpy as np

from traffic_platform.statements import statement
from traffic_platform.verify.ledger_sums import PartitionGeneration
from traffic_platform.verify.snapshot import Connection


class OtherRules:
    """The outcomes of one log that `rules_version` did not decide.

    An event that a replay let in was decided by the replay's rules, a message that it left in
    quarantine for another reason as well; what a rebuild changed, by the rebuild's; everything else
    by its window's.
    """

    def __init__(
        self, connection: Connection, log: PartitionGeneration, rules_version: str
    ) -> None:
        parameters = {
            "topic_no": log.topic_no,
            "partition": log.partition,
            "rules_version": rules_version,
        }
        self._rules_version = rules_version
        self._windows = Ranges(
            connection.execute(statement("verify/stale_ranges"), parameters).fetchall()
        )
        self._replays: dict[int, bool] = dict(
            connection.execute(statement("verify/replays_of_log"), parameters).fetchall()
        )
        self._rebuilt: dict[int, bool] = dict(
            connection.execute(statement("verify/rebuilt_of_log"), parameters).fetchall()
        )

    def decided(self, offset: int, batch_id: int | None, judged_by: str | None) -> bool:
        """Whether the outcome of an offset is other rules' work.

        `batch_id` is that of its event, if it is one, `judged_by` the rules of a replay that left
        it in quarantine.
        """
        if judged_by is not None:
            return judged_by != self._rules_version
        if offset in self._rebuilt:
            return self._rebuilt[offset]
        if batch_id in self._replays:
            return self._replays[batch_id]
        return offset in self._windows


class Ranges:
    """Sorted ranges of offsets, without overlap."""

    def __init__(self, rows: list[tuple[int, int]]) -> None:
        self._begin = np.array([row[0] for row in rows], dtype=np.int64)
        self._end = np.array([row[1] for row in rows], dtype=np.int64)

    def __contains__(self, offset: int) -> bool:
        at = int(np.searchsorted(self._begin, offset, side="right")) - 1
        return at >= 0 and offset < int(self._end[at])

"""The end of a publisher run that publishes the events stored at its start, and no more."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from traffic_platform.errors import PermanentError
from traffic_platform.publish.positions import Key, Position


@dataclass
class Goal:
    """Positions to reach, by this run or by the publisher that holds the lock.

    `seconds` is the time for which the others may stay where they are.
    """

    targets: Mapping[Key, int]
    seconds: float
    _left: int | None = None
    _since: float = field(default_factory=time.monotonic)

    def reached(self, positions: list[Position]) -> bool:
        """Return True when the positions have reached the targets.

        Raises PermanentError when they have not moved for `seconds`.
        """
        now = {position.key: position.next_position for position in positions}
        left = sum(max(0, target - now.get(key, 0)) for key, target in self.targets.items())
        if self._left is None or left < self._left:
            self._left, self._since = left, time.monotonic()
        elif left and time.monotonic() - self._since >= self.seconds:
            raise PermanentError(
                f"The publisher that holds the lock has published nothing for {self.seconds:.0f} s,"
                f" and {left:,} offsets wait. `traffic status` names its run. Look at its log, end"
                " it, and try again."
            )
        return left == 0

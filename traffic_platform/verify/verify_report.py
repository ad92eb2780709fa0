"""What a verification found, for people, programs and exit codes."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

LIMIT = 20
"""Findings that a report holds at most: after so many differences the next adds nothing."""


@dataclass(frozen=True)
class Finding:
    """A difference: in `table`, at `key`, `expected` should stand and `found` stands."""

    table: str
    key: dict[str, Any]
    expected: str
    found: str

    @property
    def sentence(self) -> str:
        """The difference in one line."""
        key = ", ".join(f"{name} {value}" for name, value in self.key.items())
        return f"{self.table} ({key}): expected {self.expected}; found {self.found}."


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: what should hold, how many rows of it, in which time."""

    name: str
    rows: int | None
    seconds: float
    findings: int


@dataclass(frozen=True)
class GenerationState:
    """A partition's log in the ledger and in Kafka; what is None is not known there.

    `start` and `end` are Kafka's (`read_committed`), `lag` the offsets between ledger and end.
    """

    topic: str
    partition: int
    topic_no: int | None
    next_offset: int | None
    start: int | None
    end: int | None
    lag: int | None


@dataclass
class StaleRules:
    """Batches that were decided by other rules than today's: stale, which is no difference."""

    rules_version: str
    batches: int
    messages: int
    first_batch_id: int
    last_batch_id: int


@dataclass(frozen=True)
class BySums:
    """What only sums can prove any more, since upkeep folded or dropped it.

    `folded_batches` stand in `folded_into` audit rows, so that a message is proved to be of one of
    them and not of which; `folded_to` is the highest number among them. The others are rows that
    retention dropped.
    """

    folded_batches: int = 0
    folded_to: int = 0
    folded_into: int = 0
    raw_events: int = 0
    processed_events: int = 0
    traffic_readings: int = 0

    @property
    def dropped(self) -> dict[str, int]:
        """Rows dropped, of the tables that lost any."""
        tables = ("raw_events", "processed_events", "traffic_readings")
        return {name: getattr(self, name) for name in tables if getattr(self, name)}


@dataclass
class VerifyReport:
    """Everything that a verification says. Findings stand in the order in which they were found.

    `cut`: there are more differences than the report holds. `rows` counts tables. Only a deep
    look fills in `messages_decoded` again from raw, `messages_in_kafka` that were compared with
    it, `stale_differing`, the messages of stale batches that today's rules store otherwise, and
    `waiting_for_replay`, those in quarantine for a sensor that has been registered since.
    `by_sums` says what was folded or dropped.
    """

    deep: bool
    snapshot_at: datetime
    rules_version: str
    findings: list[Finding] = field(default_factory=list[Finding])
    cut: bool = False
    checks: list[Check] = field(default_factory=list[Check])
    logs: list[GenerationState] = field(default_factory=list[GenerationState])
    stale: list[StaleRules] = field(default_factory=list[StaleRules])
    stale_differing: int = 0
    waiting_for_replay: int = 0
    acknowledged_losses: int = 0
    rows: dict[str, int] = field(default_factory=dict[str, int])
    by_sums: BySums = BySums()
    messages_decoded: int = 0
    messages_in_kafka: int = 0
    seconds: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether nothing differs."""
        return not self.findings

    @property
    def lag(self) -> int:
        """Offsets that Kafka holds and the ledger has not reached, over all partitions."""
        return sum(log.lag or 0 for log in self.logs)

    @property
    def room(self) -> int:
        """How many findings the report still takes."""
        return LIMIT - len(self.findings)

    def add(self, findings: Iterable[Finding]) -> None:
        """Take findings; beyond the limit it is only noted that there are more."""
        for finding in findings:
            if self.room <= 0:
                self.cut = True
                return
            self.findings.append(finding)

    @contextmanager
    def check(self, name: str) -> Generator[_RunningCheck]:
        """Time a check and count what it finds."""
        running = _RunningCheck()
        before, start = len(self.findings), time.monotonic()
        yield running
        self.checks.append(
            Check(
                name=name,
                rows=running.rows,
                seconds=round(time.monotonic() - start, 3),
                findings=len(self.findings) - before,
            )
        )

    def document(self) -> dict[str, Any]:
        """The report as a JSON document (times are datetime objects)."""
        plain = {name: value for name, value in vars(self).items() if not isinstance(value, list)}
        return {
            "holds": self.holds,
            "first_difference": self.findings[0].sentence if self.findings else None,
            **plain,
            "by_sums": vars(self.by_sums),
            "lag": self.lag,
            "findings": [
                vars(finding) | {"sentence": finding.sentence} for finding in self.findings
            ],
            "checks": [vars(check) for check in self.checks],
            "logs": [vars(log) for log in self.logs],
            "stale": [vars(stale) for stale in self.stale],
        }


@dataclass
class _RunningCheck:
    rows: int | None = None

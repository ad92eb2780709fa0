"""Results of a verification, for people, programs and exit codes."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

LIMIT = 20
"""The largest number of findings in a report: further ones would say nothing new."""


@dataclass(frozen=True)
class Finding:
    """A difference: `table` should have `expected` at `key`, and has `found`."""

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
    """One check: its name, the number of rows it compared, its duration and its findings."""

    name: str
    rows: int | None
    seconds: float
    findings: int


@dataclass(frozen=True)
class GenerationState:
    """A partition in the ledger and in Kafka; None where one of them does not know a value.

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
    """Batches that other rules than today's decided. They are stale, which is not a difference."""

    rules_version: str
    batches: int
    messages: int
    first_batch_id: int
    last_batch_id: int


@dataclass(frozen=True)
class BySums:
    """Numbers of batches and rows that only sums can prove, after compaction and retention.

    `folded_batches` were compacted into `folded_into` audit rows. For a message of these the proof
    shows the audit row, not the batch. `folded_to` is the highest number among the batches. The
    other figures count rows that retention dropped.
    """

    folded_batches: int = 0
    folded_to: int = 0
    folded_into: int = 0
    raw_events: int = 0
    processed_events: int = 0
    traffic_readings: int = 0

    @property
    def dropped(self) -> dict[str, int]:
        """The number of dropped rows, for each table that lost some."""
        tables = ("raw_events", "processed_events", "traffic_readings")
        return {name: getattr(self, name) for name in tables if getattr(self, name)}


@dataclass
class VerifyReport:
    """Findings, in the order in which they were found, and figures of a verification.

    `cut` is True if there are more differences than the report holds. `rows` counts the rows of
    tables. `by_sums` has the rows that only sums can prove. Only a deep verification fills these:

    - `messages_decoded`: raw messages that were decoded again
    - `messages_in_kafka`: messages that were compared with Kafka
    - `stale_differing`: messages of stale batches that today's rules would store differently
    - `waiting_for_replay`: messages in quarantine whose sensor has been registered since
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
        """True if nothing differs."""
        return not self.findings

    @property
    def lag(self) -> int:
        """Offsets that Kafka holds and the ledger has not reached, over all partitions."""
        return sum(state.lag or 0 for state in self.logs)

    @property
    def room(self) -> int:
        """The number of findings that the report still takes."""
        return LIMIT - len(self.findings)

    def add(self, findings: Iterable[Finding]) -> None:
        """Add findings. Beyond the limit, only set `cut`."""
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
            "logs": [vars(state) for state in self.logs],
            "stale": [vars(stale) for stale in self.stale],
        }


@dataclass
class _RunningCheck:
    rows: int | None = None

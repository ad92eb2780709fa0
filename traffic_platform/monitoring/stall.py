"""A ledger that stands still while messages wait, and the sessions that block it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from traffic_platform.postgres.connections import Connection
from traffic_platform.statements import statement

# Longer than the start of a run on a busy machine and the takeover from a run that was killed.
STALL_SECONDS = 60.0
# A session that has been in its transaction for less than this blocks nobody for long.
_BRIEF_SECONDS = 5.0


@dataclass(frozen=True)
class Blocker:
    """A session of PostgreSQL that blocks commits. `seconds` in its transaction: None if hidden.

    PostgreSQL shows `<insufficient privilege>` for a hidden query.
    """

    pid: int
    role: str
    application: str
    query: str
    seconds: float | None

    def __str__(self) -> str:
        """Return a sentence part for people."""
        since = "" if self.seconds is None else f", in its transaction for {self.seconds:.0f} s"
        return (
            f"process {self.pid} of application {self.application!r} (role {self.role}{since},"
            f" query: {self.query})"
        )


@dataclass(frozen=True)
class Stall:
    """A ledger that has not advanced for `seconds` (None: never), while `messages` wait."""

    seconds: float | None
    messages: int
    blockers: Sequence[Blocker]

    def __str__(self) -> str:
        """Return one sentence for people."""
        since = (
            "has never moved" if self.seconds is None else f"has not moved for {self.seconds:.0f} s"
        )
        return (
            f"the ledger {since}, and {self.messages:,} messages wait."
            f" {describe_blockers(self.blockers)}"
        )


def describe_blockers(blockers: Sequence[Blocker]) -> str:
    """Return what blocks the ledger, as one sentence."""
    if not blockers:
        return "No session of PostgreSQL blocks it; see the newest ingest run in Dagster"
    return f"It is blocked by {'; '.join(map(str, blockers))}"


def read_blockers(connection: Connection) -> list[Blocker]:
    """Return up to three sessions that block the ledger, oldest transaction first.

    Reads only catalogs, so it also answers while a table is locked.
    """
    rows = connection.execute(statement("monitoring/ledger_blockers"), {"seconds": _BRIEF_SECONDS})
    return [Blocker(*row) for row in rows.fetchall()]

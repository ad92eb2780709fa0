"""Problems that are reported to people, and the messages about them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from traffic_platform.quality.outcome import named

Format = Literal["json", "slack"]

# Limits of a message: names, and characters of the summary.
MOST_NAMED = 50
MOST_SUMMARY = 1_000

_OF_DATES = re.compile(r":\d{4}-\d\d-\d\d$")


@dataclass(frozen=True)
class Problem:
    """A failure that somebody should look at.

    `key` identifies the problem. `since` and `seen` (the time of the newest result taken into
    account) are ISO 8601 in UTC. `subject` is the table or the job, `date` the event date of a
    check, `runbook` a path in the repository, `run_id` the Dagster run that found the problem.
    `affected`: the named sensors, feeds or partitions; None if they are too many or unknown.
    """

    key: str
    kind: Literal["check", "run", "ledger"]
    name: str
    subject: str
    severity: str
    summary: str
    since: str
    date: str | None = None
    runbook: str | None = None
    run_id: str | None = None
    affected: tuple[str, ...] | None = None
    seen: str = ""

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Problem:
        """Build a problem from fields that this version or an older one has stored."""
        names = fields.get("affected")
        known: dict[str, Any] = {**fields, "affected": None if names is None else tuple(names)}
        return cls(**known)

    def with_new_job_name(self, renamed_jobs: Mapping[str, str]) -> Problem:
        """Return the problem under its job's name now, if it is a run's and the job was renamed."""
        if self.kind != "run" or self.subject not in renamed_jobs:
            return self
        name = renamed_jobs[self.subject]
        key = self.key.replace(f"run:{self.subject}", f"run:{name}", 1)
        return replace(self, key=key, subject=name)


def is_past(problem: Problem, since: str) -> bool:
    """Return True for a problem of dates, by its key, that was last seen before `since`."""
    return (problem.seen or problem.since) < since and bool(_OF_DATES.search(problem.key))


@dataclass(frozen=True)
class Finding:
    """The newest result about a table, a date of it, or a job's subject.

    `problem` describes the failure, if it failed. `final` is False for a date that is not over.
    """

    problem: Problem
    passed: bool
    final: bool = True


@dataclass(frozen=True)
class Message:
    """A problem that began, that affects more than was reported, or that healed.

    The posted message is bounded: MOST_NAMED names, MOST_SUMMARY characters of the summary.
    """

    event: Literal["problem", "more", "healed"]
    problem: Problem

    @property
    def id(self) -> str:
        """The message's id, the same whenever it is sent."""
        problem = self.problem
        at = f":{problem.seen}" if self.event == "more" else ""
        return f"{self.event}:{problem.key}:{problem.since}{at}"

    def body(self, form: Format) -> dict[str, Any]:
        """Return the JSON to post: every field, or Slack's one text."""
        if form == "slack":
            return {"text": self._sentence()}
        hidden = ("key", "seen", "affected")
        fields = {name: value for name, value in asdict(self.problem).items() if name not in hidden}
        names = self.problem.affected
        return {
            "id": self.id,
            "event": self.event,
            **fields,
            "summary": self._summary,
            "affected": None if names is None else list(names[:MOST_NAMED]),
            "affected_total": None if names is None else len(names),
        }

    @property
    def _summary(self) -> str:
        text = self.problem.summary
        return text if len(text) <= MOST_SUMMARY else f"{text[: MOST_SUMMARY - 1]}…"

    def _sentence(self) -> str:
        problem = self.problem
        about = f" of {problem.date}" if problem.date else ""
        title = f"{problem.subject}{about}: {problem.name}"
        if self.event == "healed":
            return f"Healed: {title}. It began at {problem.since}."
        if self.event == "more":
            title += f", now also {named(problem.affected or (), MOST_NAMED)}"
        runbook = f" What to do: {problem.runbook}" if problem.runbook else ""
        return f"{problem.severity}: {title}. {self._summary}{runbook}"

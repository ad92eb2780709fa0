"""Problems that people are told of, and the messages that tell of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from traffic_platform.quality.outcome import named

Format = Literal["json", "slack"]

# What a message holds at most: names, and characters of a summary.
MOST_NAMED = 50
MOST_SUMMARY = 1_000

_OF_DATES = re.compile(r":\d{4}-\d\d-\d\d$")


@dataclass(frozen=True)
class Problem:
    """Something that somebody should look at.

    `key` is the same as long as it is the same problem. `since` is ISO 8601 in UTC, and so is
    `seen`, the time of the newest result that was taken into account. `subject` is the table or the
    job, `date` the event date that a check is about, `runbook` a path in the repository, `run_id`
    Dagster's run that found it. `affected`: the sensors, feeds or partitions that have been named;
    None where they were too many to name, or are not known.
    """

    key: str
    kind: Literal["check", "run"]
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
        """A problem from the fields that were written down, by this version or an older one."""
        names = fields.get("affected")
        known: dict[str, Any] = {**fields, "affected": None if names is None else tuple(names)}
        return cls(**known)


def is_past(problem: Problem, since: str) -> bool:
    """Whether a problem is of dates, by its key, and was last seen before `since`."""
    return (problem.seen or problem.since) < since and bool(_OF_DATES.search(problem.key))


@dataclass(frozen=True)
class Finding:
    """The newest result about a table, a date of it, or what a job is about.

    `problem` is what there is to tell if it failed; `passed` says whether it did not. `final`: it
    is not of a date that is still going on.
    """

    problem: Problem
    passed: bool
    final: bool = True


@dataclass(frozen=True)
class Message:
    """A problem that began, that has more to it than was told, or that healed.

    What is posted of it is bounded: MOST_NAMED names, MOST_SUMMARY characters of a summary.
    """

    event: Literal["problem", "more", "healed"]
    problem: Problem

    @property
    def id(self) -> str:
        """The same whenever this message is sent."""
        problem = self.problem
        at = f":{problem.seen}" if self.event == "more" else ""
        return f"{self.event}:{problem.key}:{problem.since}{at}"

    def body(self, form: Format) -> dict[str, Any]:
        """What is posted: every field, or Slack's one text."""
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
        said = self.problem.summary
        return said if len(said) <= MOST_SUMMARY else f"{said[: MOST_SUMMARY - 1]}…"

    def _sentence(self) -> str:
        problem = self.problem
        about = f" of {problem.date}" if problem.date else ""
        what = f"{problem.subject}{about}: {problem.name}"
        if self.event == "healed":
            return f"Healed: {what}. It began at {problem.since}."
        if self.event == "more":
            what += f", now also {named(problem.affected or (), MOST_NAMED)}"
        runbook = f" What to do: {problem.runbook}" if problem.runbook else ""
        return f"{problem.severity}: {what}. {self._summary}{runbook}"

"""Telling people: what a webhook gets when a problem begins, and when it heals.

Knows neither Dagster nor PostgreSQL: which problems there are is found by the caller, look after
look, and what differs from the last look is told. A message is kept until the webhook has taken it,
so it may come twice where a process dies in between (`id` is the same then), but is never missing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import requests

POST_SECONDS = 10.0  # that a webhook may take to answer
TELL_SECONDS = 30.0  # after which the rest waits for the next time: a tick may take 60
MOST_WAITING = 1_000  # messages that are kept while the webhook is away, the newest

Format = Literal["json", "slack"]


class WebhookError(Exception):
    """The webhook did not take a message; try again later. The text names no part of the URL."""


@dataclass(frozen=True)
class Problem:
    """Something that somebody should look at.

    `key` is the same as long as it is the same problem. `since` is ISO 8601 in UTC. `subject` is
    the table or the job, `date` the event date that a check is about, `runbook` a path in the
    repository, `run_id` Dagster's run that found it.
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


@dataclass(frozen=True)
class Message:
    """A problem that began, or that healed."""

    event: Literal["problem", "healed"]
    problem: Problem

    @property
    def id(self) -> str:
        """The same whenever this message is sent."""
        return f"{self.event}:{self.problem.key}:{self.problem.since}"

    def body(self, form: Format) -> dict[str, Any]:
        """What is posted: every field, or Slack's one text."""
        if form == "slack":
            return {"text": self._sentence()}
        fields = {name: value for name, value in asdict(self.problem).items() if name != "key"}
        return {"id": self.id, "event": self.event, **fields}

    def _sentence(self) -> str:
        problem = self.problem
        about = f" of {problem.date}" if problem.date else ""
        what = f"{problem.subject}{about}: {problem.name}"
        if self.event == "healed":
            return f"Healed: {what}. It began at {problem.since}."
        runbook = f" What to do: {problem.runbook}" if problem.runbook else ""
        return f"{problem.severity}: {what}. {problem.summary}{runbook}"


@dataclass
class AlertState:
    """What has been told and what waits to be told."""

    open: dict[str, Problem] = field(default_factory=dict[str, Problem])
    waiting: list[Message] = field(default_factory=list[Message])

    @classmethod
    def from_json(cls, text: str | None) -> AlertState:
        """Read what `to_json` wrote; None: nothing has been told yet."""
        if text is None:
            return cls()
        document = json.loads(text)
        return cls(
            {problem["key"]: Problem(**problem) for problem in document["open"]},
            [Message(item["event"], Problem(**item["problem"])) for item in document["waiting"]],
        )

    def to_json(self) -> str:
        """The state as text."""
        return json.dumps(
            {
                "open": [asdict(problem) for problem in self.open.values()],
                "waiting": [asdict(message) for message in self.waiting],
            }
        )

    def look(self, failing: Iterable[Problem], well: Iterable[str]) -> None:
        """Compare with what is seen now: problems that fail, and keys of what is well.

        What is in neither stays as it was: nobody has looked at it since.
        """
        for problem in failing:
            if problem.key not in self.open:
                self.open[problem.key] = problem
                self.waiting.append(Message("problem", problem))
        for key in well:
            healed = self.open.pop(key, None)
            if healed is not None:
                self.waiting.append(Message("healed", healed))
        del self.waiting[:-MOST_WAITING]

    def tell(self, url: str, form: Format) -> int:
        """Post what waits, in order; how many were taken. Raises WebhookError at the first refusal.

        What was taken before it waits no more. What there is no time for waits on.
        """
        told, until = 0, time.monotonic() + TELL_SECONDS
        while self.waiting and time.monotonic() < until:
            post(url, self.waiting[0].body(form))
            self.waiting.pop(0)
            told += 1
        return told


def post(url: str, body: Mapping[str, Any]) -> None:
    """Post a JSON body. Raises WebhookError unless the answer is 2xx."""
    try:
        answer = requests.post(url, json=body, timeout=POST_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        # The message of the error holds the URL, and that is a secret.
        raise WebhookError(f"the webhook cannot be reached ({type(error).__name__})") from None
    if not answer.ok or answer.is_redirect:
        raise WebhookError(f"the webhook answered {answer.status_code}")

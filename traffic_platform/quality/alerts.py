"""Alerts to a webhook: one message when a problem begins, one when it grows, one when it heals.

This module knows neither Dagster nor PostgreSQL. The caller passes the findings of each tick, and
the differences from the last tick become messages. A message is kept until the webhook accepts it.
If a process dies in between, a message may arrive twice with the same `id`, but none is lost.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import requests

from traffic_platform.quality.check_dates import CheckDates, failing_run
from traffic_platform.quality.problems import Finding, Format, Message, Problem, is_past

POST_SECONDS = 10.0  # timeout of a post
SEND_SECONDS = 30.0  # after this the rest waits for the next tick, which may take 60 s
# Rejections of a message's content: bad request, too large, not understood.
_CONTENT_REJECTED = (400, 413, 422)
MOST_WAITING = 1_000  # the newest messages kept while the webhook is unavailable


class WebhookError(Exception):
    """The webhook did not accept a message; try again later. The text names no part of the URL."""


class MessageRejectedError(WebhookError):
    """The webhook rejected the content of this message; it may accept others."""


@dataclass
class AlertState:
    """Open problems and waiting messages.

    `dates`: by check, the dates that were reported as part of its problem.
    """

    open: dict[str, Problem] = field(default_factory=dict[str, Problem])
    waiting: list[Message] = field(default_factory=list[Message])
    dates: dict[str, CheckDates] = field(default_factory=dict[str, CheckDates])

    @classmethod
    def from_json(
        cls, text: str | None, renamed_jobs: Mapping[str, str] | None = None
    ) -> AlertState:
        """Read the state that `to_json` wrote, also in an older version; None: nothing yet.

        `renamed_jobs` maps earlier names of jobs to their names now.
        """
        if text is None:
            return cls()
        document = json.loads(text)

        def read_problem(fields: Mapping[str, Any]) -> Problem:
            return Problem.from_fields(fields).with_new_job_name(renamed_jobs or {})

        problems = [read_problem(fields) for fields in document["open"]]
        return cls(
            {problem.key: problem for problem in problems},
            [Message(item["event"], read_problem(item["problem"])) for item in document["waiting"]],
            {name: CheckDates(**dates) for name, dates in document.get("dates", {}).items()},
        )

    def to_json(self) -> str:
        """Return the state as JSON."""
        return json.dumps(
            {
                "open": [asdict(problem) for problem in self.open.values()],
                "waiting": [asdict(message) for message in self.waiting],
                "dates": {name: asdict(dates) for name, dates in self.dates.items()},
            }
        )

    def observe(self, findings: Iterable[Finding], since: str = "") -> None:
        """Compare the state with the findings of now, and queue messages about the differences.

        Problems without a finding stay as they are. Problems of a date that were last seen before
        `since` (as `Problem.seen`) are dropped without a message, because such dates are not
        checked any more. Findings before it are left out.
        """
        self.open = {key: one for key, one in self.open.items() if not is_past(one, since)}
        checks: dict[str, list[Finding]] = {}
        for finding in findings:
            if is_past(finding.problem, since):
                continue
            if finding.problem.date is None:
                self._judge(finding)
            else:
                checks.setdefault(finding.problem.name, []).append(finding)
        for name, dated in checks.items():
            self._judge_dates(self.dates.setdefault(name, CheckDates()), dated)
        del self.waiting[:-MOST_WAITING]

    def _judge_dates(self, known: CheckDates, dated: Sequence[Finding]) -> None:
        """Judge a check by its dates: the newest one decides the check's one problem.

        An earlier date that fails, and is not part of that problem, is a problem of its own.
        """
        findings = known.relevant(dated, self.open)
        if not findings:
            return
        newest, now = findings[-1], list[Finding]()
        key = _without_date(newest.problem)
        if known.is_newest(newest):
            known.newest = newest.problem.date or ""
            now = failing_run(findings)
            if newest.passed:
                self._heal(key, newest)
        if now:
            self._fail_now(key, now)
            known.report(now, self.open[key].affected, findings)
        for finding in findings:
            if finding not in now and (finding.passed or not self._is_reported(known, finding)):
                self._judge(finding)
                known.forget(finding)

    def _fail_now(self, key: str, run: Sequence[Finding]) -> None:
        """Open the check's problem or continue it; `run`: its failing dates, oldest first."""
        newest = replace(run[-1].problem, key=key, seen=max(one.problem.seen for one in run))
        # Problems of single dates, also those of an older version, continue as one.
        keys = (key, *(one.problem.key for one in run))
        reported = [self.open.pop(one) for one in keys if one in self.open]
        if not reported:
            self._open(newest)
            return
        seen = max(one.seen for one in reported)
        self.open[key] = replace(reported[0], key=key, seen=seen, affected=_union(reported))
        self._add(key, [one.problem for one in run])

    def _is_reported(self, known: CheckDates, finding: Finding) -> bool:
        return finding.problem.key not in self.open and known.is_reported(finding)

    def _judge(self, finding: Finding) -> None:
        problem = finding.problem
        if finding.passed:
            self._heal(problem.key, finding)
        elif problem.key in self.open:
            self._add(problem.key, [problem])
        else:
            self._open(problem)

    def _open(self, problem: Problem) -> None:
        self.open[problem.key] = problem
        self.waiting.append(Message("problem", problem))

    def _heal(self, key: str, finding: Finding) -> None:
        healed = self.open.pop(key, None)
        if healed is not None:
            self.waiting.append(Message("healed", replace(healed, date=finding.problem.date)))

    def _add(self, key: str, found: Sequence[Problem]) -> None:
        """Report the additional names of later results; if none were known, only store them."""
        before = self.open[key]
        later = [one for one in found if one.seen > before.seen and one.affected is not None]
        seen = max(before.seen, *(one.seen for one in found))
        names = _union([before, *later])
        self.open[key] = replace(before, affected=names, seen=seen)
        if not later or before.affected is None:
            return
        new_names = tuple(name for name in names or () if name not in before.affected)
        if new_names:
            last = max(later, key=lambda one: (one.date or "", one.seen))
            more = replace(last, key=key, since=before.since, affected=new_names, seen=seen)
            self.waiting.append(Message("more", more))

    def send(self, url: str, form: Format) -> int:
        """Post the waiting messages in order; return how many the webhook accepted.

        Accepted messages leave the queue; rejected ones stay, and so do those for which the time
        does not suffice. Raises WebhookError at the first failure. If only the content of a message
        was rejected, the others are posted first, so that one message cannot hold back the rest.
        """
        sent, position, rejected = 0, 0, None
        until = time.monotonic() + SEND_SECONDS
        while position < len(self.waiting) and time.monotonic() < until:
            try:
                post(url, self.waiting[position].body(form))
            except MessageRejectedError as error:
                rejected = rejected or error
                position += 1
            else:
                self.waiting.pop(position)
                sent += 1
        if rejected is not None:
            raise rejected
        return sent


def _without_date(problem: Problem) -> str:
    return problem.key.removesuffix(problem.date or "")


def _union(problems: Iterable[Problem]) -> tuple[str, ...] | None:
    """Return the names of all problems, each once; None if none of them has names."""
    named = [problem.affected for problem in problems if problem.affected is not None]
    return tuple(dict.fromkeys(name for names in named for name in names)) if named else None


def post(url: str, body: Mapping[str, Any]) -> None:
    """Post a JSON body.

    Raises WebhookError unless the answer is 2xx, and MessageRejectedError if the answer says that
    the body is wrong.
    """
    try:
        answer = requests.post(url, json=body, timeout=POST_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        # The error's own message contains the URL, which is a secret.
        raise WebhookError(f"The webhook cannot be reached ({type(error).__name__})") from None
    if answer.status_code in _CONTENT_REJECTED:
        raise MessageRejectedError(f"The webhook answered {answer.status_code}")
    if not answer.ok or answer.is_redirect:
        raise WebhookError(f"The webhook answered {answer.status_code}")

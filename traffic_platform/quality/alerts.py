"""Telling people: what a webhook gets when a problem begins, grows, and when it heals.

Knows neither Dagster nor PostgreSQL: what was found is handed over by the caller, look after look,
and what differs from the last look is told. A message is kept until the webhook has taken it,
so it may come twice where a process dies in between (`id` is the same then), but is never missing.
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

POST_SECONDS = 10.0  # that a webhook may take to answer
TELL_SECONDS = 30.0  # after which the rest waits for the next time: a tick may take 60
# Refusals for what a message holds: bad request, too large, not understood.
_OF_CONTENT = (400, 413, 422)
MOST_WAITING = 1_000  # messages that are kept while the webhook is away, the newest


class WebhookError(Exception):
    """The webhook did not take a message; try again later. The text names no part of the URL."""


class MessageRefusedError(WebhookError):
    """The webhook did not take this message for what is in it; it may take others."""


@dataclass
class AlertState:
    """What has been told and what waits to be told.

    `dates`: by check, which of its dates have been told of as part of its problem.
    """

    open: dict[str, Problem] = field(default_factory=dict[str, Problem])
    waiting: list[Message] = field(default_factory=list[Message])
    dates: dict[str, CheckDates] = field(default_factory=dict[str, CheckDates])

    @classmethod
    def from_json(cls, text: str | None) -> AlertState:
        """Read what `to_json` wrote, in an older version too; None: nothing has been told yet."""
        if text is None:
            return cls()
        document = json.loads(text)
        problems = [Problem.from_fields(fields) for fields in document["open"]]
        return cls(
            {problem.key: problem for problem in problems},
            [
                Message(item["event"], Problem.from_fields(item["problem"]))
                for item in document["waiting"]
            ],
            {name: CheckDates(**dates) for name, dates in document.get("dates", {}).items()},
        )

    def to_json(self) -> str:
        """The state as text."""
        return json.dumps(
            {
                "open": [asdict(problem) for problem in self.open.values()],
                "waiting": [asdict(message) for message in self.waiting],
                "dates": {name: asdict(dates) for name, dates in self.dates.items()},
            }
        )

    def observe(self, findings: Iterable[Finding], since: str = "") -> None:
        """Compare with what is found now.

        What nothing was found about stays as it was: nobody has looked at it since. Problems of a
        date that were last seen before `since` (as `Problem.seen`) are dropped without a message,
        for nobody looks at such dates any more; what was found before it is left out.
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
            self._look_at_dates(self.dates.setdefault(name, CheckDates()), dated)
        del self.waiting[:-MOST_WAITING]

    def _look_at_dates(self, known: CheckDates, dated: Sequence[Finding]) -> None:
        """Judge a check by its dates: the newest is how it is now, in one problem without a date.

        A date before it that fails, and is no part of that problem, is a problem of its own.
        """
        findings = known.that_say_something(dated, self.open)
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
            known.tell(now, self.open[key].affected, findings)
        for finding in findings:
            if finding not in now and (finding.passed or not self._is_told(known, finding)):
                self._judge(finding)
                known.forget(finding)

    def _fail_now(self, key: str, run: Sequence[Finding]) -> None:
        """Open the check's problem, or go on with it; `run`: its dates that fail, oldest first."""
        newest = replace(run[-1].problem, key=key, seen=max(one.problem.seen for one in run))
        # What has been told of these dates one by one, also by an older version, goes on as one.
        told = [self.open.pop(one) for one in (key, *_keys(run)) if one in self.open]
        if not told:
            self._open(newest)
            return
        seen = max(one.seen for one in told)
        self.open[key] = replace(told[0], key=key, seen=seen, affected=_union(told))
        self._add(key, [one.problem for one in run])

    def _is_told(self, known: CheckDates, finding: Finding) -> bool:
        return finding.problem.key not in self.open and known.is_told(finding)

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
            well = replace(healed, date=finding.problem.date)
            self.waiting.append(Message("healed", well))

    def _add(self, key: str, found: Sequence[Problem]) -> None:
        """Tell what later results name in addition. An open problem of unknown names takes them."""
        before = self.open[key]
        later = [one for one in found if one.seen > before.seen and one.affected is not None]
        seen = max(before.seen, *(one.seen for one in found))
        names = _union([before, *later])
        self.open[key] = replace(before, affected=names, seen=seen)
        if not later or before.affected is None:
            return
        fresh = tuple(name for name in names or () if name not in before.affected)
        if fresh:
            last = max(later, key=lambda one: (one.date or "", one.seen))
            more = replace(last, key=key, since=before.since, affected=fresh, seen=seen)
            self.waiting.append(Message("more", more))

    def tell(self, url: str, form: Format) -> int:
        """Post what waits, in order; how many were taken. Raises WebhookError at a refusal.

        What was taken waits no more; what there is no time for waits on, and what was refused. The
        first refusal is the end, unless it is for what a message holds: then the others are posted
        first, so that none holds back all that came after it.
        """
        told, position, refused = 0, 0, None
        until = time.monotonic() + TELL_SECONDS
        while position < len(self.waiting) and time.monotonic() < until:
            try:
                post(url, self.waiting[position].body(form))
            except MessageRefusedError as error:
                refused = refused or error
                position += 1
            else:
                self.waiting.pop(position)
                told += 1
        if refused is not None:
            raise refused
        return told


def _keys(findings: Iterable[Finding]) -> list[str]:
    return [finding.problem.key for finding in findings]


def _without_date(problem: Problem) -> str:
    return problem.key.removesuffix(problem.date or "")


def _union(problems: Iterable[Problem]) -> tuple[str, ...] | None:
    """All that they name, each once; None where none of them names any."""
    named = [problem.affected for problem in problems if problem.affected is not None]
    return tuple(dict.fromkeys(name for names in named for name in names)) if named else None


def post(url: str, body: Mapping[str, Any]) -> None:
    """Post a JSON body. Raises WebhookError unless the answer is 2xx.

    MessageRefusedError where it says that something is wrong with the body.
    """
    try:
        answer = requests.post(url, json=body, timeout=POST_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        # The message of the error holds the URL, and that is a secret.
        raise WebhookError(f"the webhook cannot be reached ({type(error).__name__})") from None
    if answer.status_code in _OF_CONTENT:
        raise MessageRefusedError(f"the webhook answered {answer.status_code}")
    if not answer.ok or answer.is_redirect:
        raise WebhookError(f"the webhook answered {answer.status_code}")

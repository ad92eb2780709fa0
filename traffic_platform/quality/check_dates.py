"""The dates of a check that decide its state, and those that were reported."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from traffic_platform.quality.problems import Finding

# Reported dates that are kept in addition to those of the current findings.
MOST_DATES = 60


@dataclass
class CheckDates:
    """The memory of a check's alerts. Dates are text in ISO 8601.

    `newest`: the newest date that decided the check's state. `told`: the dates reported as part of
    its problem, each with the names of its own result (None: unknown; from an older version: all
    names up to then). `named`: all names of the newest problem that were reported.
    """

    newest: str = ""
    told: dict[str, list[str] | None] = field(default_factory=dict[str, list[str] | None])
    named: list[str] = field(default_factory=list[str])

    def relevant(self, findings: Iterable[Finding], open_keys: Container[str]) -> list[Finding]:
        """Return the findings that count, oldest date first.

        A date that is not over may still fail, so its success heals no earlier date: a check of a
        few readings passes shortly after each midnight. It counts if the date itself had failed.
        """
        return sorted(
            (
                one
                for one in findings
                if one.final
                or not one.passed
                or one.problem.date in self.told
                or one.problem.key in open_keys
            ),
            key=_date,
        )

    def is_newest(self, finding: Finding) -> bool:
        """Return True if no later date is known: the newest results may all be of past dates."""
        return _date(finding) >= self.newest

    def report(
        self,
        run: Iterable[Finding],
        affected: Sequence[str] | None,
        found: Iterable[Finding] = (),
    ) -> None:
        """Remember the dates of `run` and these names as reported; `found`: all findings now."""
        run = list(run)
        self.named = list(affected or ())
        for finding in run:
            names = finding.problem.affected or ()
            self.told[_date(finding)] = None if affected is None else list(names)
        kept = {*sorted(self.told)[-MOST_DATES:], *(_date(finding) for finding in (*run, *found))}
        self.told = {date: names for date, names in sorted(self.told.items()) if date in kept}

    def is_reported(self, finding: Finding) -> bool:
        """Return True if a failing date was reported with all that it names."""
        date = _date(finding)
        if date not in self.told:
            return False
        names, told = finding.problem.affected, self.told[date]
        return names is None or told is None or set(names) <= {*told, *self.named}

    def forget(self, finding: Finding) -> None:
        """Forget a date that passes, or that is a problem of its own."""
        self.told.pop(_date(finding), None)


def failing_run(findings: Sequence[Finding]) -> list[Finding]:
    """Return the newest dates that fail without a passing one in between, oldest first."""
    return list(takewhile(lambda one: not one.passed, reversed(findings)))[::-1]


def _date(finding: Finding) -> str:
    return finding.problem.date or ""

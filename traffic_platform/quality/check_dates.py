"""The dates of a check: which of them say how it is now, and which have been told of."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from traffic_platform.quality.problems import Finding

# Dates that are remembered beside those that a look finds.
MOST_DATES = 60


@dataclass
class CheckDates:
    """What is remembered of a check: dates are ISO 8601, as text.

    `newest` is the newest date that said how the check is. `told`: dates that its problem was told
    of, each with those that it named itself (None: whom the problem affects was not known; of an
    older version: with all that had been named by then). `named`: all whom the newest problem has
    been told to affect.
    """

    newest: str = ""
    told: dict[str, list[str] | None] = field(default_factory=dict[str, list[str] | None])
    named: list[str] = field(default_factory=list[str])

    def that_say_something(
        self, findings: Iterable[Finding], open_keys: Container[str]
    ) -> list[Finding]:
        """The findings that count, oldest date first.

        A date that is still going on may fail later, so that nothing is wrong with it heals no date
        before it (a check of a few readings passes shortly after each midnight). It counts where
        the date itself had failed.
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
        """Whether no later date is known: the newest results may all be of past dates."""
        return _date(finding) >= self.newest

    def tell(
        self,
        run: Iterable[Finding],
        affected: Sequence[str] | None,
        found: Iterable[Finding] = (),
    ) -> None:
        """The dates of `run` have been told of, and these names; `found`: all that a look found."""
        run = list(run)
        self.named = list(affected or ())
        for finding in run:
            names = finding.problem.affected or ()
            self.told[_date(finding)] = None if affected is None else list(names)
        kept = {*sorted(self.told)[-MOST_DATES:], *(_date(finding) for finding in (*run, *found))}
        self.told = {date: names for date, names in sorted(self.told.items()) if date in kept}

    def is_told(self, finding: Finding) -> bool:
        """Whether a date that fails was told of, with all that it names."""
        date = _date(finding)
        if date not in self.told:
            return False
        names, told = finding.problem.affected, self.told[date]
        return names is None or told is None or set(names) <= {*told, *self.named}

    def forget(self, finding: Finding) -> None:
        """A date that passes, or that is a problem of its own, is no part of the check's."""
        self.told.pop(_date(finding), None)


def failing_run(findings: Sequence[Finding]) -> list[Finding]:
    """The newest dates that fail, without one in between that passes; oldest first."""
    return list(takewhile(lambda one: not one.passed, reversed(findings)))[::-1]


def _date(finding: Finding) -> str:
    return finding.problem.date or ""

"""The dates of a check: which of them say how it is now, and which have been told of."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from traffic_platform.quality.problems import Finding

# More dates than a look finds of a check.
MOST_DATES = 60


@dataclass
class CheckDates:
    """What is remembered of a check: dates are ISO 8601, as text.

    `newest` is the newest date that said how the check is. `told`: dates that its problem was told
    of, with those that it had named by then (None: not known).
    """

    newest: str = ""
    told: dict[str, list[str] | None] = field(default_factory=dict[str, list[str] | None])

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
            key=lambda one: one.problem.date or "",
        )

    def is_newest(self, finding: Finding) -> bool:
        """Whether no later date is known: the newest results may all be of past dates."""
        return (finding.problem.date or "") >= self.newest

    def tell(self, findings: Iterable[Finding], affected: Sequence[str] | None) -> None:
        """These dates have been told of, and these names with them, and what each names itself."""
        for finding in findings:
            names = [*(affected or ()), *(finding.problem.affected or ())]
            self.told[finding.problem.date or ""] = (
                None if affected is None else list(dict.fromkeys(names))
            )
        self.told = dict(sorted(self.told.items())[-MOST_DATES:])

    def is_told(self, finding: Finding) -> bool:
        """Whether a date that fails was told of, with all that it names."""
        date = finding.problem.date or ""
        if date not in self.told:
            return False
        names, told = finding.problem.affected, self.told[date]
        return names is None or told is None or set(names) <= set(told)

    def forget(self, finding: Finding) -> None:
        """A date that passes, or that is a problem of its own, is no part of the check's."""
        self.told.pop(finding.problem.date or "", None)


def failing_run(findings: Sequence[Finding]) -> list[Finding]:
    """The newest dates that fail, without one in between that passes; oldest first."""
    return list(takewhile(lambda one: not one.passed, reversed(findings)))[::-1]

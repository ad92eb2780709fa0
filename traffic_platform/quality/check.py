"""A check: a function with the facts that Dagster, the command line and alerts need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from traffic_platform.quality.check_context import CheckContext
from traffic_platform.quality.outcome import Outcome


class Scope(Enum):
    """The subject of a result: the table as it is now, or a date of it."""

    TABLE = "table"
    DATE = "date"


@dataclass(frozen=True)
class Check:
    """A property of a table. Call it with a CheckContext to evaluate it.

    `table` has no schema. `statements` name the SQL files behind the check. A `blocking` check
    guards the tables that are built from this one: if it fails, they are not built. A `heavy` check
    imports Great Expectations to find faults that no stream can cause, so it waits until a date is
    over.
    """

    name: str
    table: str
    severity: Literal["ERROR", "WARN"]
    scope: Scope
    evaluate: Callable[[CheckContext], Outcome]
    statements: tuple[str, ...]
    blocking: bool = False
    heavy: bool = False

    def __call__(self, context: CheckContext) -> Outcome:
        """Evaluate the check."""
        return self.evaluate(context)

    @property
    def description(self) -> str:
        """The property, as one sentence: the first line of the function's docstring."""
        return (self.evaluate.__doc__ or "").partition("\n")[0]

    @property
    def runbook(self) -> str:
        """Path of the page that says what a failure means and what to do."""
        return f"docs/runbooks/{self.name}.md"


def check(
    table: str,
    severity: Literal["ERROR", "WARN"],
    scope: Scope,
    *statements: str,
    blocking: bool = False,
    heavy: bool = False,
) -> Callable[[Callable[[CheckContext], Outcome]], Check]:
    """Make a function a check with the function's name.

    `statements` are names of files in `sql/quality`, without their ending.
    """

    def decorate(evaluate: Callable[[CheckContext], Outcome]) -> Check:
        paths = tuple(f"quality/{name}" for name in statements)
        name = evaluate.__name__
        return Check(name, table, severity, scope, evaluate, paths, blocking, heavy)

    return decorate

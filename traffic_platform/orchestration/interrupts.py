"""SIGTERM and Dagster's terminate, without an exception in the middle of a statement.

Both arrive in a run's process as a signal, and Dagster raises DagsterExecutionInterruptedError out
of its handler wherever the step happens to be: inside libpq that would leave a connection in an
unknown state. While interrupts are deferred they only set a flag.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from dagster import DagsterExecutionInterruptedError
from dagster._utils.interrupts import capture_interrupts, check_captured_interrupt


@contextmanager
def deferred_interrupts() -> Generator[Callable[[], bool]]:
    """Yield a function that says whether the run should stop; raise the interrupt at the end.

    Raises DagsterExecutionInterruptedError after the body when one came, so that the run ends as
    canceled. An error of the body goes first.
    """
    with capture_interrupts():
        yield check_captured_interrupt
        interrupted = check_captured_interrupt()
    if interrupted:
        raise DagsterExecutionInterruptedError

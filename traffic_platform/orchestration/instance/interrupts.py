"""SIGTERM and Dagster's terminate, without an exception in the middle of a statement.

Both arrive in a run's process as a signal, and Dagster raises DagsterExecutionInterruptedError out
of its handler wherever the step happens to be: inside libpq that would leave a connection in an
unknown state. While interrupts are deferred they only set a flag.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from dagster import (
    AssetExecutionContext,
    DagsterExecutionInterruptedError,
    DagsterRunStatus,
    OpExecutionContext,
)
from dagster._utils.interrupts import capture_interrupts, check_captured_interrupt

Context = AssetExecutionContext | OpExecutionContext


@contextmanager
def deferred_interrupts(context: Context) -> Generator[Callable[[], bool]]:
    """Yield a function that says whether the run should stop.

    A body that returns after a plain SIGTERM (the stack goes down) has finished its work, early:
    the run succeeds. Raises DagsterExecutionInterruptedError after the body when it was Dagster
    that asked, so that the run ends as canceled. An error of the body goes first.
    """
    with capture_interrupts():
        yield check_captured_interrupt
        interrupted = check_captured_interrupt()
    if interrupted and _cancel_is_asked(context):
        raise DagsterExecutionInterruptedError


def _cancel_is_asked(context: Context) -> bool:
    run = context.instance.get_run_by_id(context.run_id)
    return run is not None and run.status is DagsterRunStatus.CANCELING

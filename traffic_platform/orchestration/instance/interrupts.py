"""Deferred interrupts, so that SIGTERM raises no exception in the middle of a statement.

SIGTERM and Dagster's terminate both arrive in a run's process as a signal. Dagster's handler raises
DagsterExecutionInterruptedError wherever the step happens to be; inside libpq that would leave a
connection in an unknown state. While interrupts are deferred, the signal only sets a flag.
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
    """Yield a function that returns True when the run should stop.

    After a plain SIGTERM (the stack shuts down) the body ends early and the run succeeds. If
    Dagster canceled the run, DagsterExecutionInterruptedError is raised after the body, so that the
    run ends as canceled. An error of the body takes precedence.
    """
    with capture_interrupts():
        yield check_captured_interrupt
        interrupted = check_captured_interrupt()
    if interrupted and _is_canceling(context):
        raise DagsterExecutionInterruptedError


def _is_canceling(context: Context) -> bool:
    run = context.instance.get_run_by_id(context.run_id)
    return run is not None and run.status is DagsterRunStatus.CANCELING

"""The end of a stream's run in an outage, in one line for Dagster's UI."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from dagster import Failure

from traffic_platform.errors import TransientError


@contextmanager
def outage_in_one_line() -> Generator[None]:
    """Fail the run with one sentence, and no traceback, when an outage outlasted it."""
    try:
        yield
    except TransientError as error:
        message = str(error).rstrip(".")
        raise Failure(
            f"An outage ended this run: {message}. Nothing is lost: the sensor kafka_offsets starts"
            " the next run, which continues from the ledger.",
            allow_retries=False,
        ) from None

"""Checks of every row of a date, evaluated by Great Expectations.

Ingest never stores such rows. The checks find rows that came another way: by hand, from a restored
backup, past a dropped constraint. Most of them block the tables that are built from readings.

Importing great_expectations takes 10 s (measured), so it happens inside a function, and only if the
date has rows. The context is ephemeral: it writes no file and sends nothing over the network.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from psycopg import sql

from traffic_platform.postgres.connections import engine_url
from traffic_platform.quality.check import Scope, check
from traffic_platform.quality.check_context import CheckContext
from traffic_platform.quality.outcome import Outcome, not_evaluated
from traffic_platform.statements import statement

if TYPE_CHECKING:
    from great_expectations.datasource.fluent.interfaces import Batch
    from great_expectations.expectations.expectation import Expectation

# Columns outside the key that every row has.
REQUIRED = ("quality_score", "quality_flags", "broker_timestamp", "created_at", "updated_at")


@check("traffic_readings", "ERROR", Scope.DATE, "readings_out_of_range", blocking=True, heavy=True)
def measures_in_range(context: CheckContext) -> Outcome:
    """Measures are possible: speed 0 to 300 mph, volume 0 to 100,000 /h, occupancy 0 to 100 %."""
    from traffic_platform.events.domain import MAX_SCORE
    from traffic_platform.events.measures import MEASURES

    bounds = {measure.name: measure.high for measure in MEASURES} | {"quality_score": MAX_SCORE}

    return _outcome(
        context,
        lambda gx, date: [
            gx.ExpectColumnValuesToBeBetween(
                column=column, min_value=0, max_value=greatest, row_condition=date
            )
            for column, greatest in bounds.items()
        ],
        holds="Every measure is in its range.",
        fails="Values out of their range",
        sample="readings_out_of_range",
        parameters={name: float(greatest) for name, greatest in bounds.items()},
    )


@check("traffic_readings", "ERROR", Scope.DATE, "readings_with_nulls", blocking=True, heavy=True)
def required_columns_filled(context: CheckContext) -> Outcome:
    """Every reading has its score, flags, time of arrival and times of writing."""
    return _outcome(
        context,
        lambda gx, date: [
            gx.ExpectColumnValuesToNotBeNull(column=column, row_condition=date)
            for column in REQUIRED
        ],
        holds="No reading lacks a required column.",
        fails="Null values in required columns",
        sample="readings_with_nulls",
    )


@check(
    "traffic_readings",
    "ERROR",
    Scope.DATE,
    "expect_shared_messages",
    "readings_of_one_message",
    heavy=True,
)
def messages_give_one_reading(context: CheckContext) -> Outcome:
    """No event is the source of two readings: each (topic_no, …, offset, event_no) occurs once."""
    # The library's own expectation of uniqueness sorts whole rows: five times as long.
    return _outcome(
        context,
        _no_rows(context, "shared_messages"),
        holds="Every reading comes from a message of its own.",
        fails="Messages with several readings",
        sample="readings_of_one_message",
    )


@check(
    "traffic_readings",
    "ERROR",
    Scope.DATE,
    "expect_no_sensor",
    "readings_without_sensor",
    blocking=True,
    heavy=True,
)
def readings_have_sensors(context: CheckContext) -> Outcome:
    """Every reading is of a sensor in traffic.sensors."""
    return _outcome(
        context,
        _no_rows(context, "no_sensor"),
        holds="Every reading has its sensor.",
        fails="Readings of unknown sensors",
        sample="readings_without_sensor",
    )


def _outcome(
    context: CheckContext,
    expectations: Callable[[Any, Any], Sequence[Expectation]],
    *,
    holds: str,
    fails: str,
    sample: str,
    parameters: dict[str, float] | None = None,
) -> Outcome:
    """Evaluate the expectations on the date's readings; the statement `sample` reads failed rows.

    Without rows the ten seconds of import would be wasted, so they are looked for first.
    """
    if not context.read("any_reading"):
        return not_evaluated("no reading has this date")
    with _readings(context) as (batch, gx):
        from great_expectations.core import ExpectationSuite
        from great_expectations.expectations.row_conditions import Column

        time = Column("timestamp")
        date = (time >= context.begin) & (time < context.end)
        suite = ExpectationSuite(name="readings", expectations=list(expectations(gx, date)))
        result = batch.validate(suite, result_format=_COUNTS)
    counts = {_name(one): _unexpected(one) for one in result.results}
    numbers = {f"unexpected: {name}": count for name, count in counts.items()}
    if result.success:
        return Outcome(True, holds, numbers)
    rows = context.read(sample, **(parameters or {}))
    where = ", ".join(name for name, count in counts.items() if count)
    return Outcome(
        passed=False,
        summary=f"{fails}: {sum(counts.values()):,} ({where}).",
        numbers=numbers,
        sample=rows,
    )


# The same as in sql/quality/settings.sql.
_OPTIONS = "-c work_mem=64MB"
# Counts only: our own statements read the failed rows and name their sensors.
_COUNTS: Any = {"result_format": "BASIC", "partial_unexpected_count": 0}


@contextmanager
def _readings(context: CheckContext) -> Generator[tuple[Batch, Any]]:
    """Yield the table of readings as a batch, and the module of expectations."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations as gx
        from great_expectations.data_context.types.base import ProgressBarsConfig

        gx_context = gx.get_context(mode="ephemeral")
        gx_context.enable_analytics(False)
        gx_context.variables.progress_bars = ProgressBarsConfig(globally=False)
        # The generic source, because the one for PostgreSQL rejects the URL of a socket.
        source = gx_context.data_sources.add_sql(
            "readings",
            connection_string=engine_url(
                context.url, application_name="traffic-checks", options=_OPTIONS
            ),
        )
        try:
            # A table with conditions instead of a query: for the columns of a query, the library
            # would fetch all its rows (measured: a million take 450 MB).
            asset = source.add_table_asset("traffic_readings")
            definition = asset.add_batch_definition_whole_table("all")
            yield definition.get_batch(), gx.expectations
        finally:
            source.get_execution_engine().engine.dispose()
            source.get_engine().dispose()


def _no_rows(context: CheckContext, name: str) -> Callable[[Any, Any], list[Expectation]]:
    """Expect no row of a query. The library fills in `{batch}` and binds no parameters."""
    query = sql.SQL(statement(f"quality/expect_{name}")).format(
        batch=sql.SQL("{batch}"),
        begin=sql.Literal(int(context.begin.timestamp())),
        end=sql.Literal(int(context.end.timestamp())),
    )
    text = query.as_string(context.connection)
    return lambda gx, _date: [gx.UnexpectedRowsExpectation(unexpected_rows_query=text)]


def _name(result: Any) -> str:
    """Return the column of an expectation, or `rows`."""
    return str(result.expectation_config.kwargs.get("column") or "rows")


def _unexpected(result: Any) -> int:
    """Return how many values or rows failed an expectation.

    Raises RuntimeError if the expectation could not be evaluated.
    """
    for error in _errors(result.exception_info or {}):
        raise RuntimeError(f"Great Expectations: {error}")
    found = result.result
    return int(found.get("unexpected_count", found.get("observed_value")) or 0)


def _errors(info: Any) -> Iterator[str]:
    """Yield errors, which the library reports for the expectation or for each of its metrics."""
    if not isinstance(info, dict):
        return
    if info.get("raised_exception"):
        yield " ".join(str(info.get("exception_message")).split())
    for metric in info.values():
        yield from _errors(metric)

"""An ingest run in Dagster, on real servers."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetMaterialization,
    DagsterEventType,
    DagsterInstance,
    ExecuteInProcessResult,
    asset,
    materialize,
)

from traffic_platform.ingest.totals import DateTotals, IngestTotals
from traffic_platform.orchestration.asset_log import AssetLog
from traffic_platform.orchestration.build import build_definitions
from traffic_platform.orchestration.checks.checks_job import CHECKS_JOB
from traffic_platform.orchestration.ingest.ingest_job import INGEST_JOB
from traffic_platform.orchestration.ingest.materializations import ingest_materializations
from traffic_platform.orchestration.keys import (
    EVENTS_TOPIC,
    PROCESSED_EVENTS,
    RAW_EVENTS,
    TRAFFIC_READINGS,
)
from traffic_platform.orchestration.publish.clean_stream_asset import PUBLISH_JOB
from traffic_platform.quality.check import Scope
from traffic_platform.quality.checks import CHECKS
from traffic_platform.settings import Settings
from traffic_platform_tests.integration.clean_stream import read_published
from traffic_platform_tests.orchestration.feed import flat

SATURDAY, SUNDAY = "2025-10-04", "2025-10-05"
Produce = Callable[..., None]


def execute(
    settings: Settings, instance: DagsterInstance, job: str = INGEST_JOB, **options: Any
) -> ExecuteInProcessResult:
    """A run of a job, in this process."""
    definitions = build_definitions(settings)
    return definitions.resolve_job_def(job).execute_in_process(instance=instance, **options)


def materializations(
    instance: DagsterInstance, run_id: str, key: AssetKey
) -> dict[str | None, AssetMaterialization]:
    """The materializations of an asset by a run, by date."""
    records = instance.get_records_for_run(run_id, of_type=DagsterEventType.ASSET_MATERIALIZATION)
    found = [record.event_log_entry.asset_materialization for record in records.records]
    return {event.partition: event for event in found if event and event.asset_key == key}


def rows(settings: Settings, query: str) -> list[Any]:
    """All rows of a query."""
    with psycopg.connect(settings.endpoints().read_url) as connection:
        return connection.execute(query).fetchall()  # pyright: ignore[reportArgumentType]


@pytest.fixture
def fed(platform: Settings, make_topic: Callable[..., str], produce: Produce) -> Settings:
    """Three events of a Saturday, two of a Sunday and an invalid message."""
    make_topic()
    produce([flat("a"), flat("a", 1), flat("b"), flat("a", days=1), flat("b", days=1)])
    produce([b"{"])
    return platform


def test_an_ingest_run_stores_events_and_logs_every_date_that_it_changed(
    fed: Settings, instance: DagsterInstance
) -> None:
    result = execute(fed, instance)
    assert result.success
    assert rows(fed, "select count(*) from traffic.traffic_readings") == [(5,)]
    readings = materializations(instance, result.run_id, TRAFFIC_READINGS)
    assert {day: event.metadata["events"].value for day, event in readings.items()} == {
        SATURDAY: 3,
        SUNDAY: 2,
    }
    assert instance.get_materialized_partitions(PROCESSED_EVENTS) == {SATURDAY, SUNDAY}
    raw = materializations(instance, result.run_id, RAW_EVENTS).values()
    assert sum(int(str(event.metadata["messages"].value)) for event in raw) == 6
    assert sum(int(str(event.metadata["quarantined"].value)) for event in raw) == 1


def test_a_materialization_links_to_its_audit_rows(
    fed: Settings, instance: DagsterInstance
) -> None:
    result = execute(fed, instance)
    event = materializations(instance, result.run_id, TRAFFIC_READINGS)[SUNDAY]
    query = str(event.metadata["audit rows"].value).removeprefix("```sql\n").removesuffix("\n```")
    audited = rows(fed, f"select run_id, event_dates from ({query}) a")
    assert audited
    assert {run_id for run_id, _ in audited} == {result.run_id}
    assert all(SUNDAY in map(str, dates) for _, dates in audited)


def test_a_run_of_one_of_two_writers_leaves_the_partitions_of_the_other(
    fed: Settings, instance: DagsterInstance
) -> None:
    config = {"ops": {"event_tables": {"config": {"writer": 1, "writers": 2}}}}
    execute(fed, instance, run_config=config)
    partitions = rows(fed, "select distinct partition from traffic.micro_batches")
    assert all(partition % 2 == 1 for (partition,) in partitions)
    execute(fed, instance, run_config={"ops": {"event_tables": {"config": {"writers": 2}}}})
    assert rows(fed, "select count(*) from traffic.raw_events") == [(6,)]


def test_a_run_without_a_message_succeeds_and_logs_nothing(
    platform: Settings, instance: DagsterInstance, make_topic: Callable[..., str]
) -> None:
    make_topic()
    result = execute(platform, instance)
    assert result.success
    assert materializations(instance, result.run_id, RAW_EVENTS) == {}


def test_the_checks_pass_after_a_run_and_their_results_are_stored(
    fed: Settings, instance: DagsterInstance
) -> None:
    execute(fed, instance)
    result = execute(fed, instance, CHECKS_JOB)
    assert result.success
    evaluations = {e.check_name: e for e in result.get_asset_check_evaluations()}
    assert set(evaluations) == {check.name for check in CHECKS if check.scope is Scope.TABLE}
    assert all(evaluation.passed for evaluation in evaluations.values())


def test_a_publisher_publishes_the_stored_events_and_logs_figures(
    fed: Settings, instance: DagsterInstance, make_topic: Callable[..., str]
) -> None:
    make_topic(fed.events_topic)
    execute(fed, instance)
    result = execute(fed, instance, PUBLISH_JOB)
    assert result.success
    [event] = materializations(instance, result.run_id, EVENTS_TOPIC).values()
    assert (event.metadata["events"].value, event.metadata["lag"].value) == (5, 0)
    assert len(read_published(fed, fed.events_topic)) == 5


def test_a_failed_check_has_a_sample_and_the_run_succeeds(
    fed: Settings, instance: DagsterInstance
) -> None:
    execute(fed, instance)
    with psycopg.connect(fed.endpoints().owner_url) as connection:
        connection.execute("delete from traffic.micro_batches")
    result = execute(fed, instance, CHECKS_JOB)
    failed = [e for e in result.get_asset_check_evaluations() if not e.passed]
    assert result.success
    assert [evaluation.check_name for evaluation in failed] == ["every_offset_accounted_for"]
    assert "sample" in failed[0].metadata


def test_asset_events_wait_while_dagsters_storage_is_unavailable(
    platform: Settings, instance: DagsterInstance, storage: psycopg.Connection
) -> None:
    day = IngestTotals(dates={date(2025, 10, 4): DateTotals(raw=1)})

    @asset
    def other(context: AssetExecutionContext) -> None:
        report = AssetLog(context)
        storage.execute("alter table event_logs rename to renamed")
        report.add(ingest_materializations(day, "run"))
        storage.execute("alter table renamed rename to event_logs")
        report.finish(hurry=False)

    assert materialize([other], instance=instance).success
    assert instance.get_materialized_partitions(RAW_EVENTS) == {SATURDAY}


def test_all_dates_of_a_long_history_are_reported(
    platform: Settings, instance: DagsterInstance
) -> None:
    days = [date(2025, 10, 4) - timedelta(days=number) for number in range(365)]
    year = IngestTotals(dates={day: DateTotals(raw=1, processed=1) for day in days})

    @asset
    def other(context: AssetExecutionContext) -> None:
        report = AssetLog(context)
        report.add(ingest_materializations(year, "run"))
        report.finish(hurry=False)

    assert materialize([other], instance=instance).success
    assert len(instance.get_materialized_partitions(RAW_EVENTS)) == 365

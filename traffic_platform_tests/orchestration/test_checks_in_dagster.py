"""Checks in Dagster: results by date, stored results, and blocking checks."""

# No `from __future__ import annotations`: Dagster reads the annotations of a step.

from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from dagster import (
    AssetCheckEvaluation,
    AssetCheckKey,
    AssetKey,
    AssetSelection,
    DagsterInstance,
    Definitions,
    Failure,
    RunRequest,
    SkipReason,
    TableMetadataValue,
    build_schedule_context,
    define_asset_job,
)
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecordStatus as Status,
)

from benchmarks.fortnight import NULL_SPEEDS, Fortnight
from traffic_platform.orchestration.build import build_definitions
from traffic_platform.orchestration.checks.asset_checks import DATES_STEP, TABLES_STEP, check_key
from traffic_platform.orchestration.checks.check_results import is_news
from traffic_platform.orchestration.checks.checks_job import CHECKS_JOB, checks_config
from traffic_platform.orchestration.keys import TRAFFIC_READINGS
from traffic_platform.orchestration.rollups.detector_health_asset import HEALTH_JOB
from traffic_platform.quality.check import Scope
from traffic_platform.quality.checks import CHECKS
from traffic_platform.settings import Settings

FORTNIGHT = Fortnight(sensors=1)
LAST_DAY, DAY_BEFORE = "2025-10-14", "2025-10-13"
LAST_DATE = date.fromisoformat(LAST_DAY)
PRESENT = AssetCheckKey(TRAFFIC_READINGS, "measures_present")
TABLES = {check.name for check in CHECKS if check.scope is Scope.TABLE}
DATES = {check.name for check in CHECKS if check.scope is Scope.DATE}
LIGHT = {check.name for check in CHECKS if check.scope is Scope.DATE and not check.heavy}


@pytest.fixture
def faulty(platform: Settings, owner: psycopg.Connection) -> Settings:
    """A fortnight at the end of which a sensor begins to send null speeds."""
    FORTNIGHT.store(owner, [NULL_SPEEDS])
    return platform


def run_checks(
    settings: Settings, instance: DagsterInstance, *days: str, closed: bool = False
) -> list[AssetCheckEvaluation]:
    """The results that a run of the scheduled job stores."""
    job = build_definitions(settings).resolve_job_def(CHECKS_JOB)
    config = checks_config([datetime.fromisoformat(day).date() for day in days], closed=closed)
    result = job.execute_in_process(instance=instance, run_config=config)
    assert result.success
    return list(result.get_asset_check_evaluations())


def newest(instance: DagsterInstance, day: str | None) -> Status | None:
    """Dagster's state of `measures_present` for a date."""
    records = instance.event_log_storage.get_latest_asset_check_execution_by_key(
        [PRESENT], partition_filter=PartitionKeyFilter(key=day)
    )
    return records[PRESENT].status if PRESENT in records else None


def test_results_are_stored_for_each_date_with_figures_and_a_sample(
    faulty: Settings, instance: DagsterInstance
) -> None:
    kept = run_checks(faulty, instance, LAST_DAY, DAY_BEFORE)
    assert {one.check_name for one in kept if one.partition is None} == TABLES
    for day in (LAST_DAY, DAY_BEFORE):
        assert {one.check_name for one in kept if one.partition == day} == LIGHT
    assert newest(instance, LAST_DAY) is Status.FAILED
    assert newest(instance, DAY_BEFORE) is Status.SUCCEEDED
    [failed] = [one for one in kept if not one.passed]
    assert (failed.check_name, failed.severity.value) == ("measures_present", "WARN")
    assert failed.metadata["sensors with a missing measure"].value == 1
    assert failed.metadata["what to do"].value == "docs/runbooks/measures_present.md"
    sample = failed.metadata["sample"]
    assert isinstance(sample, TableMetadataValue)
    assert sample.records[0].data["sensor"] == "north-1"
    columns = {column.name: column.type for column in sample.schema.columns}
    assert columns["sensor"] == "string"
    assert columns["missing"] == "int"


def test_a_closed_date_gets_the_expectations_on_every_row_as_well(
    faulty: Settings, instance: DagsterInstance
) -> None:
    kept = run_checks(faulty, instance, LAST_DAY, closed=True)
    assert {one.check_name for one in kept if one.partition == LAST_DAY} == DATES


def test_a_result_without_news_is_not_stored_again(
    faulty: Settings, owner: psycopg.Connection, instance: DagsterInstance
) -> None:
    assert len(run_checks(faulty, instance, LAST_DAY)) == len(TABLES | LIGHT)
    assert run_checks(faulty, instance, LAST_DAY) == []
    owner.execute("update traffic.traffic_readings set speed = 55 + random() where speed is null")
    [healed] = run_checks(faulty, instance, LAST_DAY)
    assert (healed.check_name, healed.passed, healed.partition) == (
        "measures_present",
        True,
        LAST_DAY,
    )
    assert newest(instance, LAST_DAY) is Status.SUCCEEDED


def test_no_planned_result_is_left_behind(
    faulty: Settings, instance: DagsterInstance, storage: psycopg.Connection
) -> None:
    run_checks(faulty, instance, LAST_DAY)
    rows = storage.execute(
        "select count(*) from asset_check_executions where execution_status = 'PLANNED'"
    )
    assert rows.fetchone() == (0,)


def evaluation(passed: bool, description: str) -> AssetCheckEvaluation:
    """A result."""
    return AssetCheckEvaluation(
        asset_key=TRAFFIC_READINGS, check_name="x", passed=passed, description=description
    )


@pytest.mark.parametrize(
    ("now", "before", "hours", "new"),
    [
        (evaluation(True, "a"), None, 0, True),
        (evaluation(True, "a"), evaluation(True, "b"), 1, False),
        (evaluation(True, "a"), evaluation(True, "a"), 4, True),
        (evaluation(False, "a"), evaluation(True, "a"), 0, True),
        (evaluation(True, "a"), evaluation(False, "a"), 0, True),
        (evaluation(False, "a"), evaluation(False, "a"), 1, False),
        (evaluation(False, "two sensors"), evaluation(False, "one sensor"), 0, True),
    ],
)
def test_a_result_is_news_if_it_changed_or_is_the_first_for_hours(
    now: AssetCheckEvaluation, before: AssetCheckEvaluation | None, hours: int, new: bool
) -> None:
    assert is_news(now, before, timedelta(hours=hours)) == new


def select(settings: Settings, *names: str) -> Any:
    """A job of some checks alone, as Dagster's button "Execute" makes one."""
    keys = [check_key(check) for check in CHECKS if check.name in names]
    job = define_asset_job("some_checks", AssetSelection.checks(*keys))
    definitions = Definitions.merge(build_definitions(settings), Definitions(jobs=[job]))
    return definitions.resolve_job_def("some_checks")


def test_people_execute_a_check_for_one_date_or_for_a_range(
    faulty: Settings, instance: DagsterInstance
) -> None:
    job = select(faulty, "measures_present")
    # The tag instead of the parameter, which needs a job with assets.
    assert job.execute_in_process(instance=instance, tags={"dagster/partition": LAST_DAY}).success
    assert newest(instance, LAST_DAY) is Status.FAILED
    tags = {
        "dagster/asset_partition_range_start": DAY_BEFORE,
        "dagster/asset_partition_range_end": LAST_DAY,
    }
    result = job.execute_in_process(instance=instance, tags=tags)
    assert result.success
    states = {one.partition: one.passed for one in result.get_asset_check_evaluations()}
    assert states == {DAY_BEFORE: True, LAST_DAY: False}
    assert newest(instance, None) is None


def test_a_check_of_dates_without_a_date_takes_the_newest(
    faulty: Settings, instance: DagsterInstance
) -> None:
    with psycopg.connect(faulty.endpoints().owner_url) as owner:
        owner.execute(
            "update traffic.micro_batches set event_dates = %s",
            (["2036-02-07", LAST_DAY, DAY_BEFORE, "2000-01-01"],),
        )
    result = select(faulty, "measures_present").execute_in_process(instance=instance)
    assert [one.partition for one in result.get_asset_check_evaluations()] == [LAST_DAY]


def test_a_check_of_dates_without_any_data_fails_with_a_reason(
    settings: Settings, instance: DagsterInstance
) -> None:
    with pytest.raises(Failure, match="no data"):
        select(settings, "measures_present").execute_in_process(instance=instance)


def diagnose_after_checks(settings: Settings, instance: DagsterInstance) -> dict[str, bool]:
    """Run the diagnosis behind its blocking checks; return their results."""
    job = build_definitions(settings).resolve_job_def(HEALTH_JOB)
    result = job.execute_in_process(instance=instance, partition_key=LAST_DAY, raise_on_error=False)
    assert result.success == is_diagnosed(settings)
    return {one.check_name: one.passed for one in result.get_asset_check_evaluations()}


def is_diagnosed(settings: Settings) -> bool:
    """True if the last day has diagnoses."""
    with psycopg.connect(settings.endpoints().read_url) as reader:
        row = reader.execute(
            "select exists (select from traffic.detector_health where date = %s)", [LAST_DAY]
        ).fetchone()
    return row == (True,)


BLOCKING = {check.name for check in CHECKS if check.blocking}


def test_an_impossible_value_blocks_the_diagnosis(
    faulty: Settings, owner: psycopg.Connection, instance: DagsterInstance
) -> None:
    owner.execute(
        "update traffic.traffic_readings set speed = 9000 where \"timestamp\" = '2025-10-14 12:00Z'"
    )
    results = diagnose_after_checks(faulty, instance)
    assert {name for name, passed in results.items() if not passed} == {"measures_in_range"}
    assert not is_diagnosed(faulty)


def test_a_table_without_its_key_blocks_the_diagnosis(
    faulty: Settings, owner: psycopg.Connection, instance: DagsterInstance
) -> None:
    owner.execute("alter table traffic.traffic_readings drop constraint traffic_readings_pkey")
    assert diagnose_after_checks(faulty, instance)["no_duplicate_readings"] is False
    assert not is_diagnosed(faulty)


def test_a_warning_does_not_block_the_diagnosis(
    faulty: Settings, instance: DagsterInstance
) -> None:
    assert diagnose_after_checks(faulty, instance) == dict.fromkeys(BLOCKING, True)
    assert is_diagnosed(faulty)


def tick(settings: Settings, instance: DagsterInstance, name: str, at: datetime) -> Any:
    """The request of a schedule at a point in time."""
    schedule = build_definitions(settings).resolve_schedule_def(name)
    context = build_schedule_context(instance=instance, scheduled_execution_time=at)
    data = schedule.evaluate_tick(context)
    return data.run_requests[0] if data.run_requests else SkipReason(data.skip_message)


def test_the_half_hourly_checks_are_of_the_dates_with_new_data(
    faulty: Settings, owner: psycopg.Connection, instance: DagsterInstance
) -> None:
    owner.execute("update traffic.micro_batches set committed_at = now() where batch_id > 314")
    owner.execute("update traffic.kafka_offsets set updated_at = now()")
    request = tick(faulty, instance, "event_table_checks", datetime.now(UTC))
    assert isinstance(request, RunRequest)
    assert request.run_config["ops"]["check_events"]["config"] == {
        "dates": [LAST_DAY],
        "closed": False,
    }


def test_dates_of_far_off_clocks_do_not_count_but_the_date_of_arrival_does(
    faulty: Settings, owner: psycopg.Connection, instance: DagsterInstance
) -> None:
    far_off = [f"2036-01-{day:02}" for day in range(1, 10)]
    row = owner.execute(
        "update traffic.micro_batches set committed_at = now(), event_dates = event_dates || "
        "%s::date[] where batch_id = (select max(batch_id) from traffic.micro_batches)"
        " returning (committed_at at time zone 'UTC')::date",
        [["2000-01-01", *far_off]],
    ).fetchone()
    assert row
    owner.execute("update traffic.kafka_offsets set updated_at = now()")
    request = tick(faulty, instance, "event_table_checks", datetime.now(UTC))
    days = request.run_config["ops"]["check_events"]["config"]["dates"]
    assert days == [row[0].isoformat(), LAST_DAY]


def test_without_data_nothing_is_requested(platform: Settings, instance: DagsterInstance) -> None:
    for name in ("event_table_checks", "closed_date_checks"):
        assert isinstance(tick(platform, instance, name, datetime.now(UTC)), SkipReason)


def test_the_closed_date_is_yesterday_in_the_platforms_zone(
    faulty: Settings, instance: DagsterInstance
) -> None:
    request = tick(
        faulty, instance, "closed_date_checks", datetime(2025, 10, 15, 3, 20, tzinfo=UTC)
    )
    assert request.run_config["ops"]["check_events"]["config"] == {
        "dates": [LAST_DAY],
        "closed": True,
    }


def closed_dates(settings: Settings, instance: DagsterInstance) -> list[str]:
    """The dates that the schedule checks two days after the last one."""
    request = tick(
        settings, instance, "closed_date_checks", datetime(2025, 10, 16, 5, 20, tzinfo=UTC)
    )
    return request.run_config["ops"]["check_events"]["config"]["dates"]


def test_a_closed_date_that_was_diagnosed_after_its_checks_is_checked_again(
    faulty: Settings, owner: psycopg.Connection, instance: DagsterInstance
) -> None:
    job = build_definitions(faulty).resolve_job_def(CHECKS_JOB)
    tags = {"dagster/schedule_name": "closed_date_checks"}
    owner.execute("update traffic.micro_batches set committed_at = '2025-10-15'")
    config = checks_config([LAST_DATE], closed=True)
    assert job.execute_in_process(instance=instance, run_config=config, tags=tags).success
    assert closed_dates(faulty, instance) == ["2025-10-15"]
    diagnose_after_checks(faulty, instance)
    assert closed_dates(faulty, instance) == ["2025-10-15", LAST_DAY]
    # Diagnosed again the next night, and nothing has changed.
    owner.execute("update traffic.detector_health set computed_at = '2025-10-15'")
    assert closed_dates(faulty, instance) == ["2025-10-15"]


def test_checks_of_dates_have_dates_and_those_of_tables_have_none() -> None:
    definitions = build_definitions(Settings(_env_file=None))  # pyright: ignore[reportCallIssue]
    graph = definitions.get_repository_def().asset_graph
    for check in CHECKS:
        dated = graph.get(check_key(check)).partitions_def is not None
        assert dated == (check.scope is Scope.DATE), check.name
    assert {TABLES_STEP, DATES_STEP} == {
        definition.node_def.name for definition in definitions.asset_checks or []
    }
    assert AssetKey("raw_events") in {check_key(check).asset_key for check in CHECKS}

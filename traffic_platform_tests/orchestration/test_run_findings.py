"""Findings about runs: which successful run heals which failed one."""

# No `from __future__ import annotations`: Dagster reads the annotations of a step.

import json
from collections.abc import Mapping
from typing import Any

import pytest
from dagster import DagsterInstance, job, op

from traffic_platform.orchestration.alerts.alert_sensors import RENAMED_JOBS
from traffic_platform.orchestration.alerts.run_findings import find_runs
from traffic_platform.orchestration.build import build_definitions
from traffic_platform.orchestration.checks.checks_job import (
    CHECKS_JOB,
    CHECKS_OP,
    ChecksConfig,
    checks_config,
)
from traffic_platform.orchestration.ingest.ingest_job import INGEST_JOB
from traffic_platform.orchestration.maintenance.table_maintenance import MAINTENANCE_JOB
from traffic_platform.orchestration.rollups.detector_health_asset import HEALTH_JOB
from traffic_platform.orchestration.rollups.rollup_assets import ROLLUPS_JOB
from traffic_platform.quality.alerts import AlertState
from traffic_platform.settings import Settings


def date_range(first: str, last: str) -> dict[str, str]:
    """Tags of a run for several dates."""
    return {
        "dagster/asset_partition_range_start": first,
        "dagster/asset_partition_range_end": last,
    }


FIRST = date_range("2025-10-14", "2025-10-14")
SECOND = date_range("2025-10-15", "2025-10-15")
ONE = {"dagster/partition": "2025-10-14"}
CLOSED = {"dagster/schedule_name": "closed_date_checks"}
HALF_HOURLY = {"dagster/schedule_name": "event_table_checks"}


def run(
    instance: DagsterInstance,
    name: str,
    tags: Mapping[str, str],
    *,
    fails: bool = False,
    closed: bool | None = None,
) -> None:
    """A run of a job of this name, with one step."""

    @op(name=CHECKS_OP)
    def step(config: ChecksConfig) -> None:
        if fails:
            raise ValueError("no")

    @job(name=name)
    def any_job() -> None:
        step()

    config: dict[str, Any] = {} if closed is None else checks_config([], closed=closed)
    any_job.execute_in_process(
        instance=instance, tags=dict(tags), run_config=config, raise_on_error=False
    )


@pytest.mark.parametrize(
    ("name", "failed", "later", "healed"),
    [
        (ROLLUPS_JOB, FIRST, SECOND, True),  # each night has another date
        (HEALTH_JOB, FIRST, ONE, True),
        (HEALTH_JOB, ONE, FIRST, True),
        (HEALTH_JOB, FIRST, SECOND, False),
        (HEALTH_JOB, date_range("2025-10-13", "2025-10-14"), ONE, False),
        (CHECKS_JOB, CLOSED, HALF_HOURLY, False),
        (CHECKS_JOB, CLOSED, CLOSED, True),
        (CHECKS_JOB, HALF_HOURLY, {}, True),
        (INGEST_JOB, {"traffic/writer": "0"}, {"traffic/writer": "1"}, False),
        (INGEST_JOB, {"traffic/writer": "1"}, {"traffic/writer": "1"}, True),
    ],
)
def test_a_run_heals_one_with_the_same_subject(
    instance: DagsterInstance,
    name: str,
    failed: Mapping[str, str],
    later: Mapping[str, str],
    healed: bool,
) -> None:
    state = AlertState()
    run(instance, name, failed, fails=True)
    state.observe(find_runs(instance, [name]))
    assert len(state.open) == 1
    run(instance, name, later)
    state.observe(find_runs(instance, [name]))
    assert (not state.open) is healed


def test_checks_by_hand_have_the_kind_of_their_configuration(instance: DagsterInstance) -> None:
    state = AlertState()
    run(instance, CHECKS_JOB, CLOSED, fails=True)
    run(instance, CHECKS_JOB, {}, closed=False)
    state.observe(find_runs(instance, [CHECKS_JOB]))
    assert list(state.open) == [f"run:{CHECKS_JOB}:closed_date_checks"]
    run(instance, CHECKS_JOB, {}, closed=True)
    state.observe(find_runs(instance, [CHECKS_JOB]))
    assert not state.open


@pytest.mark.parametrize(
    ("old", "new", "tags"),
    [
        ("run:ingest_window:0", INGEST_JOB, {"traffic/writer": "0"}),
        ("run:keep_tables", MAINTENANCE_JOB, {}),
    ],
)
def test_a_problem_of_a_renamed_job_is_healed_by_a_run_under_the_new_name(
    instance: DagsterInstance, old: str, new: str, tags: dict[str, str]
) -> None:
    problem = {
        "key": old, "kind": "run", "name": "the run failed", "subject": old.split(":")[1],
        "severity": "ERROR", "summary": "Dagster's run r failed.", "since": "2026-11-29T04:20:00Z",
    }  # fmt: skip
    waiting = {"event": "problem", "problem": problem}
    cursor = json.dumps({"open": [problem], "waiting": [waiting]})
    state = AlertState.from_json(cursor, RENAMED_JOBS)
    assert [message.problem.subject for message in state.waiting] == [new]
    run(instance, new, tags, fails=True)
    state.observe(find_runs(instance, [new]))
    assert len(state.open) == len(state.waiting) == 1
    run(instance, new, tags)
    state.observe(find_runs(instance, [new]))
    assert not state.open
    assert state.waiting[-1].event == "healed"


def test_all_renamed_jobs_have_the_name_of_a_job() -> None:
    jobs = build_definitions(Settings(_env_file=None)).jobs or ()  # pyright: ignore[reportCallIssue]
    assert set(RENAMED_JOBS.values()) <= {one.name for one in jobs}

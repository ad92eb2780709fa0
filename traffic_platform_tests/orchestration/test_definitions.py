"""The assets, jobs, sensors and schedules that Dagster shows and runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from dagster import (
    AssetSpec,
    DefaultScheduleStatus,
    DefaultSensorStatus,
    Definitions,
    JobDefinition,
)

from traffic_platform.dashboard.detectors.undiagnosed import DIAGNOSED_AT
from traffic_platform.orchestration.build import build_definitions
from traffic_platform.orchestration.ingest.event_tables_asset import EVENT_TABLES_OP
from traffic_platform.orchestration.ingest.ingest_job import INGEST_JOB
from traffic_platform.quality.checks import CHECKS
from traffic_platform.settings import Settings

SNAPSHOT = Path(__file__).with_name("definitions.json")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    """The definitions for the default settings; needs no server."""
    return build_definitions(Settings(_env_file=None))  # pyright: ignore[reportCallIssue]


def describe(definitions: Definitions) -> dict[str, Any]:
    """Names and edges of everything in the definitions except the checks."""
    repository = definitions.get_repository_def()
    jobs = [job for job in repository.get_all_jobs() if not job.name.startswith("__")]
    return {
        "assets": {
            spec.key.to_user_string(): sorted(dep.asset_key.to_user_string() for dep in spec.deps)
            for spec in sorted(definitions.resolve_all_asset_specs(), key=lambda spec: spec.key)
        },
        "jobs": {job.name: dict(sorted(job.tags.items())) for job in jobs},
        "sensors": {
            sensor.name: [target.job_name for target in sensor.targets]
            for sensor in repository.sensor_defs
        },
        "schedules": {
            schedule.name: [schedule.cron_schedule, schedule.job_name]
            for schedule in repository.schedule_defs
        },
    }


def tables(definitions: Definitions) -> list[AssetSpec]:
    """The specs of tables in PostgreSQL."""
    return [spec for spec in definitions.resolve_all_asset_specs() if "table" in spec.kinds]


def ingest_job(definitions: Definitions) -> JobDefinition:
    """The resolved ingest job."""
    return definitions.resolve_job_def(INGEST_JOB)


def test_the_definitions_are_those_that_were_reviewed(definitions: Definitions) -> None:
    """After an intended change, write the output of this test into definitions.json."""
    assert describe(definitions) == json.loads(SNAPSHOT.read_text())


def test_every_check_is_defined_for_its_table(definitions: Definitions) -> None:
    keys = definitions.get_repository_def().asset_graph.asset_check_keys
    assert {(key.asset_key.to_user_string(), key.name) for key in keys} == {
        (check.table, check.name) for check in CHECKS
    }


def test_all_definitions_load(definitions: Definitions) -> None:
    Definitions.validate_loadable(definitions)


def test_sensors_and_schedules_are_switched_on_at_the_first_start(
    definitions: Definitions,
) -> None:
    repository = definitions.get_repository_def()
    assert {s.default_status for s in repository.sensor_defs} == {DefaultSensorStatus.RUNNING}
    assert {s.default_status for s in repository.schedule_defs} == {DefaultScheduleStatus.RUNNING}


def test_the_dashboard_names_the_time_of_the_diagnosis(definitions: Definitions) -> None:
    cron = definitions.resolve_schedule_def("detector_health").cron_schedule
    assert cron == f"{DIAGNOSED_AT.minute} {DIAGNOSED_AT.hour} * * *"


def test_every_asset_has_a_description_an_owner_and_a_schema(definitions: Definitions) -> None:
    for spec in definitions.resolve_all_asset_specs():
        assert spec.description, spec.key
        assert spec.owners == ["team:traffic-data"], spec.key
        assert spec.kinds, spec.key
        assert spec.tags["layer"], spec.key
        assert spec.metadata["dagster/column_schema"], spec.key


def test_every_table_names_its_relation_and_links_to_its_sql(definitions: Definitions) -> None:
    for spec in tables(definitions):
        assert spec.metadata["dagster/table_name"] == f"traffic.{spec.key.path[-1]}"
        for path in str(spec.metadata["sql"]).split(", "):
            assert (ROOT / path).is_file(), path


def test_tables_are_partitioned_by_local_days_from_the_first_date_on() -> None:
    settings = Settings(
        _env_file=None,  # pyright: ignore[reportCallIssue]
        timezone="America/Los_Angeles",
        first_date="2020-02-01",  # pyright: ignore[reportArgumentType]
    )
    for spec in tables(build_definitions(settings)):
        assert spec.partitions_def is not None
        assert spec.partitions_def.get_first_partition_key() == "2020-02-01"
        assert "America/Los_Angeles" in str(spec.partitions_def)


def test_an_ingest_run_has_one_process_and_no_checks_and_is_never_retried(
    definitions: Definitions,
) -> None:
    job = ingest_job(definitions)
    assert job.executor_def.name == "in_process"
    assert [node.name for node in job.nodes] == [EVENT_TABLES_OP]
    assert job.tags["dagster/max_retries"] == "0"


def test_an_ingest_run_has_time_to_wait_and_to_drain(definitions: Definitions) -> None:
    settings = Settings(_env_file=None)  # pyright: ignore[reportCallIssue]
    longest = 2 * (settings.ingest_run_seconds + settings.ingest_run_idle_seconds)
    assert longest < float(ingest_job(definitions).tags["dagster/max_runtime"]) < longest + 600


def test_the_code_location_imports_no_heavy_library(tmp_path: Path) -> None:
    """great_expectations alone takes 10 s to import (measured)."""
    heavy = ("great_expectations", "pandas", "matplotlib", "pyarrow", "jgo", "fastapi")
    program = f"import sys, traffic_platform.definitions; print(set({heavy}) & set(sys.modules))"
    found = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "TRAFFIC_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "set()"

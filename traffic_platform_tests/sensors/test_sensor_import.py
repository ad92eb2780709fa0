"""Importing sensors into a real database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path

import psycopg
import pytest

from traffic_platform.errors import TransientError
from traffic_platform.events.sensor_ids import sensor_uuid
from traffic_platform.sensors.csv_rows import TableError
from traffic_platform.sensors.sensor_import import import_sensors, list_periods, list_sensors
from traffic_platform.settings import Settings

PORTLAND = Path(__file__).parents[2] / "examples/portland_i205"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "sensors.csv"


def register_seen(settings: Settings, external_id: str) -> None:
    with psycopg.connect(settings.endpoints().ingest_url) as connection:
        connection.execute(
            "insert into traffic.sensors (sensor_id, external_id, origin) values (%s, %s, 'seen')",
            (sensor_uuid(external_id), external_id),
        )


def test_an_invalid_file_changes_nothing(settings: Settings, table: Path) -> None:
    table.write_text("external_id,lanes\na,1\nb,none\n")
    with pytest.raises(TableError, match="line 3, column lanes"):
        import_sensors(settings, table)
    assert list_sensors(settings) == []


def test_a_failing_import_changes_nothing(settings: Settings, table: Path) -> None:
    table.write_text("external_id,lanes\na,1\nb,2\n")
    with psycopg.connect(settings.endpoints().owner_url) as connection:
        connection.execute("alter table traffic.sensors add check (lanes < 2)")
    with pytest.raises(psycopg.errors.CheckViolation):
        import_sensors(settings, table)
    assert list_sensors(settings) == []


def test_an_unavailable_server_raises_a_transient_error(settings: Settings, table: Path) -> None:
    table.write_text("external_id\na\n")
    unavailable = settings.model_copy(
        update={
            "ingest_database_url": None,
            "database_url": _secret("postgresql://x@127.0.0.1:1/x"),
        }
    )
    with pytest.raises(TransientError, match="PostgreSQL"):
        import_sensors(unavailable, table)


def test_portland_detectors_are_added_and_then_unchanged(settings: Settings) -> None:
    report = import_sensors(settings, PORTLAND)
    assert (len(report.added), report.changed, report.unchanged) == (52, [], [])
    sensors = {sensor.external_id: sensor for sensor in list_sensors(settings)}
    assert len(sensors) == 52
    assert sensors["1345"].road == "I-205"
    assert sensors["1345"].length_mi == 0.94
    assert {sensor.origin for sensor in sensors.values()} == {"imported"}
    again = import_sensors(settings, PORTLAND)
    assert (again.added, again.changed, len(again.unchanged)) == ([], [], 52)


def test_a_change_is_reported_with_its_old_value(settings: Settings, table: Path) -> None:
    table.write_text("external_id,name,lanes,milepost\na,A,2,1.5\nb,B,1,2\n")
    import_sensors(settings, table)
    table.write_text("external_id,name,lanes\na,A,3\nb,B,1\nc,C,1\n")
    report = import_sensors(settings, table)
    assert report.added == ["c"]
    assert report.unchanged == ["b"]
    assert [(change.external_id, change.columns) for change in report.changed] == [
        ("a", {"lanes": (2, 3)})
    ]
    kept = {sensor.external_id: sensor.milepost for sensor in list_sensors(settings)}
    assert kept == {"a": 1.5, "b": 2.0, "c": None}


def test_an_empty_cell_clears_the_value(settings: Settings, table: Path) -> None:
    table.write_text("external_id,name\na,A\n")
    import_sensors(settings, table)
    table.write_text("external_id,name\na,\n")
    (change,) = import_sensors(settings, table).changed
    assert change.columns == {"name": ("A", None)}


def test_a_seen_sensor_becomes_imported_and_keeps_its_uuid(settings: Settings, table: Path) -> None:
    register_seen(settings, "1345")
    (before,) = list_sensors(settings)
    table.write_text("external_id\n1345\n")
    (change,) = import_sensors(settings, table).changed
    assert change.columns == {"origin": ("seen", "imported")}
    (after,) = list_sensors(settings)
    assert (after.sensor_id, after.registered_at) == (before.sensor_id, before.registered_at)
    assert after.origin == "imported"


def test_two_imports_at_once_both_succeed(settings: Settings, tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.csv" for number in range(4)]
    for number, file in enumerate(files):
        rows = "".join(f"s{row},{number}\n" for row in range(200))
        file.write_text(f"external_id,name\n{rows}")
    with ThreadPoolExecutor() as pool:
        reports = list(pool.map(partial(import_sensors, settings), files))
    assert sorted(len(report.added) for report in reports) == [0, 0, 0, 200]
    sensors = list_sensors(settings)
    assert len(sensors) == 200
    assert len({sensor.name for sensor in sensors}) == 1  # the rows of one whole file


def test_sensors_can_be_listed_by_origin_and_road(settings: Settings, table: Path) -> None:
    register_seen(settings, "x")
    table.write_text("external_id,road\na,I-5\nb,I-205\n")
    import_sensors(settings, table)
    assert [sensor.external_id for sensor in list_sensors(settings, origin="seen")] == ["x"]
    assert [sensor.external_id for sensor in list_sensors(settings, road="I-5")] == ["a"]
    assert len(list_sensors(settings, limit=2)) == 2


def test_dated_rows_describe_the_periods_of_a_sensor(settings: Settings, table: Path) -> None:
    table.write_text(
        "external_id,valid_from,interval_s,length_mi,retired\n"
        "a,beginning,0.1,0.5,\n"
        "a,2025-10-04,60,0.5,\n"
        "a,2025-10-05T06:07:08+02:00,60,0.75,yes\n"
    )
    import_sensors(settings, table)
    found = [
        (period.valid_from, period.interval_s, period.length_mi, period.retired)
        for period in list_periods(settings, sensor_uuid("a"))
    ]
    assert found == [
        (None, Decimal("0.1"), 0.5, False),
        (datetime(2025, 10, 4, tzinfo=UTC), 60, 0.5, False),
        (datetime(2025, 10, 5, 4, 5, tzinfo=UTC), 60, 0.75, True),
    ]
    [sensor] = list_sensors(settings)
    assert (sensor.interval_s, sensor.retired) == (60, True)
    assert sensor.valid_from == datetime(2025, 10, 5, 4, 5, tzinfo=UTC)
    assert import_sensors(settings, table).unchanged == ["a"]


@pytest.mark.parametrize(
    ("begin", "message"),
    [
        ("2025-10-04T06:00", "'2025-10-04T06:00' has no time zone"),
        ("2025-02-30", "'2025-02-30' is not beginning, a date or a time"),
        ("2100-01-01", "is in the future"),
    ],
)
def test_an_invalid_begin_is_refused(
    settings: Settings, table: Path, begin: str, message: str
) -> None:
    table.write_text(f"external_id,valid_from,lanes\na,{begin},2\n")
    with pytest.raises(TableError, match=message):
        import_sensors(settings, table)
    assert list_sensors(settings) == []


def test_two_rows_of_a_sensor_need_two_begins(settings: Settings, table: Path) -> None:
    table.write_text("external_id,valid_from,lanes\na,2025-10-04,2\na,2025-10-04T00:04Z,3\n")
    with pytest.raises(TableError, match="repeats line 2"):
        import_sensors(settings, table)


def _secret(url: str) -> object:
    from pydantic import SecretStr

    return SecretStr(url)

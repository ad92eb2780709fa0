"""Daily detector health: a diagnosis of every sensor and local day in traffic.detector_health."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from psycopg import sql
from psycopg.rows import class_row

from traffic_platform.detector_health.diagnosis import (
    Diagnosis,
    Finding,
    SensorDay,
    diagnose,
    percentage,
)
from traffic_platform.detector_health.diagnosis_text import Scope, advise, describe_finding
from traffic_platform.detector_health.local_day import LocalDay, local_day
from traffic_platform.detector_health.thresholds import Thresholds
from traffic_platform.errors import translated
from traffic_platform.postgres.connections import Connection, connect
from traffic_platform.postgres.identity import require_timezone
from traffic_platform.settings import Settings
from traffic_platform.statements import statement


@dataclass(frozen=True)
class HealthRow:
    """A row of traffic.detector_health; the table's comments describe the columns."""

    sensor_id: UUID
    date: date
    diagnosis: str
    seen: str
    field: str
    tests_not_evaluated: list[str]
    scope: Scope | None
    rural: bool
    interval_s: Decimal | None
    interval_inferred: bool
    readings: int
    samples: int
    expected_samples: int | None
    samples_percent: float | None
    zero_occupancy_percent: float | None
    high_occupancy_percent: float | None
    occupancy_without_volume_percent: float | None
    volume_without_occupancy_percent: float | None
    constant_samples: int | None
    constant_occupancy: float | None
    constant_from: datetime | None
    without_speed_percent: float | None
    vehicles: int | None
    longest_gap_s: int | None
    last_reading: datetime | None
    computed_at: datetime


@dataclass(frozen=True)
class DayHealth:
    """The diagnoses of a date; `names` holds the external id of each sensor."""

    date: date
    rows: Sequence[HealthRow]
    names: Mapping[UUID, str]

    @property
    def counts(self) -> Counter[Diagnosis]:
        """Numbers of sensors by diagnosis."""
        return Counter(Diagnosis(row.diagnosis) for row in self.rows)

    @property
    def good_percent(self) -> float | None:
        """Share of good sensors among the evaluated ones (percent); None without any."""
        counts = self.counts
        return percentage(counts[Diagnosis.GOOD], len(self.rows) - counts[Diagnosis.NOT_EVALUATED])


def compute_health(settings: Settings, day: date, now: datetime | None = None) -> DayHealth:
    """Diagnose every sensor from its readings of `day`, and write changed rows in one transaction.

    The same readings give the same rows. When retention has dropped readings of the day, its rows
    stay unchanged. `now` (aware, default: the clock) decides whether the day is over. Raises
    TransientError or PermanentError for PostgreSQL, SettingsError when the database keeps its dates
    in another time zone.
    """
    now = now or datetime.now(UTC)
    local = local_day(day, settings.timezone)
    limits = Thresholds.from_settings(settings)
    url = settings.endpoints().ingest_url
    with translated(), connect(url, application_name="traffic detector health") as connection:
        require_timezone(connection, settings.timezone)
        days = read_sensor_days(connection, local, limits, settings.health_forget_days)
        if _readings_dropped(connection, local):
            rows = read_health(connection, day)
        else:
            rows = judge(days, local, limits, now)
            _write_rows(connection, day, rows)
        found = connection.execute(
            "select sensor_id, external_id from traffic.sensors where sensor_id = any(%s)",
            ([row.sensor_id for row in rows],),
        ).fetchall()
    return DayHealth(day, rows, dict(found))


def read_sensor_days(
    connection: Connection, local: LocalDay, limits: Thresholds, forget_days: int
) -> list[SensorDay]:
    """Return the counts of every sensor to diagnose on that day, by sensor_id."""
    before = local_day(local.date - timedelta(days=1), local.timezone)
    with connection.cursor(row_factory=class_row(SensorDay)) as cursor:
        return cursor.execute(
            statement("detector_health/sensor_days"),
            {
                "day": local.date,
                "start": local.start,
                "end": local.end,
                "window_start": local.window_start,
                "window_end": local.window_end,
                "window_start_before": before.window_start,
                "window_end_before": before.window_end,
                "forget_before": local.end - timedelta(days=forget_days),
                "high_occupancy": limits.high_occupancy,
            },
        ).fetchall()


def read_health(connection: Connection, day: date) -> list[HealthRow]:
    """Return the rows of a date, by sensor_id."""
    columns = sql.SQL(", ").join(sql.Identifier(field.name) for field in fields(HealthRow))
    query = sql.SQL("select {} from traffic.detector_health where date = %s order by sensor_id")
    with connection.cursor(row_factory=class_row(HealthRow)) as cursor:
        return cursor.execute(query.format(columns), (day,)).fetchall()


def _readings_dropped(connection: Connection, local: LocalDay) -> bool:
    row = connection.execute(
        "select exists (select from traffic.dropped_rows where table_name = 'traffic_readings'"
        " and lower_bound < %s and upper_bound > %s)",
        (local.end, local.start),
    ).fetchone()
    return bool(row and row[0])


def judge(
    days: Sequence[SensorDay], local: LocalDay, limits: Thresholds, now: datetime
) -> list[HealthRow]:
    """Return the rows of a date; empty for a day that the time zone skipped."""
    if local.start == local.end:
        return []
    over = now >= local.end
    findings = [diagnose(day, limits, over=over) for day in days]
    scopes = _scopes(days, findings)
    return [
        _row(day, finding, scopes.get(day.sensor_id), local, limits, now)
        for day, finding in zip(days, findings, strict=True)
    ]


def _scopes(days: Sequence[SensorDay], findings: Sequence[Finding]) -> dict[UUID, Scope]:
    """Return the scope of each silent sensor: the detector, its station or the whole feed.

    PeMS too first reports a district, a line or a controller as down
    (int_diagnostics__no_data_status.sql of cagov/caldata-mdsa-caltrans-pems).
    """
    silent = {
        day.sensor_id: day
        for day, finding in zip(days, findings, strict=True)
        if finding.diagnosis is Diagnosis.NO_DATA
    }
    stations: defaultdict[str, list[UUID]] = defaultdict(list)
    for day in days:
        if day.station_id is not None:
            stations[day.station_id].append(day.sensor_id)

    def scope(day: SensorDay) -> Scope:
        if len(silent) == len(days) > 1:
            return "feed"
        members = stations.get(day.station_id or "", [])
        whole_station = len(members) > 1 and all(member in silent for member in members)
        return "station" if whole_station else "detector"

    return {sensor_id: scope(day) for sensor_id, day in silent.items()}


def _row(
    day: SensorDay,
    finding: Finding,
    scope: Scope | None,
    local: LocalDay,
    limits: Thresholds,
    now: datetime,
) -> HealthRow:
    expected = day.expected_samples
    return HealthRow(
        sensor_id=day.sensor_id,
        date=local.date,
        diagnosis=finding.diagnosis,
        seen=describe_finding(day, finding, local, limits),
        field=advise(finding.diagnosis, scope),
        tests_not_evaluated=[str(test) for test in finding.tests_not_evaluated],
        scope=scope,
        rural=day.rural,
        interval_s=day.interval_s,
        interval_inferred=day.interval_inferred,
        readings=day.readings,
        samples=day.samples,
        expected_samples=expected,
        samples_percent=percentage(day.samples, expected),
        zero_occupancy_percent=percentage(day.zero_occupancy, day.with_occupancy),
        high_occupancy_percent=percentage(day.high_occupancy, day.with_occupancy),
        occupancy_without_volume_percent=percentage(day.occupancy_without_volume, day.with_both),
        volume_without_occupancy_percent=percentage(day.volume_without_occupancy, day.with_both),
        constant_samples=day.constant_samples if day.with_occupancy else None,
        constant_occupancy=day.constant_occupancy,
        constant_from=day.constant_from,
        without_speed_percent=percentage(day.traffic_without_speed, day.with_traffic),
        vehicles=_vehicles(day),
        longest_gap_s=day.longest_gap_s,
        last_reading=day.last_reading,
        computed_at=now,
    )


def _vehicles(day: SensorDay) -> int | None:
    """Return vehicles: the sum of rates (vehicles per hour) times the interval (seconds) / 3600."""
    return None if day.vehicle_seconds is None else round(day.vehicle_seconds / 3600)


def _write_rows(connection: Connection, day: date, rows: Sequence[HealthRow]) -> None:
    """Replace the changed rows of a date; an unchanged row keeps its `computed_at`."""
    # The second of two runs for one date waits here, and compares with the rows of the first.
    connection.execute("lock table traffic.detector_health in share row exclusive mode")
    before = {row.sensor_id: row for row in read_health(connection, day)}
    changed = [
        row
        for row in rows
        if row.sensor_id not in before
        or replace(row, computed_at=before[row.sensor_id].computed_at) != before[row.sensor_id]
    ]
    gone = before.keys() - {row.sensor_id for row in rows}
    connection.execute(
        "delete from traffic.detector_health where date = %s and sensor_id = any(%s)",
        (day, [*gone, *(row.sensor_id for row in changed)]),
    )
    names = [column.name for column in fields(HealthRow)]
    copy_rows = sql.SQL("copy traffic.detector_health ({}) from stdin").format(
        sql.SQL(", ").join(map(sql.Identifier, names))
    )
    with connection.cursor().copy(copy_rows) as copy:
        for row in changed:
            copy.write_row([getattr(row, name) for name in names])
    connection.execute(
        "insert into traffic.diagnosed_dates (date) values (%s)"
        " on conflict (date) do update set diagnosed_at = excluded.diagnosed_at",
        (day,),
    )

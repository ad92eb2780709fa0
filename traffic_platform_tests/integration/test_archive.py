"""Archived days of raw: the archive returns every byte or refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from traffic_platform.archive import ArchiveError, archived_parts, read_archived_day
from traffic_platform.archive.files import Manifest, checksum, manifest_path
from traffic_platform.maintenance import MaintenanceReport, maintain_tables
from traffic_platform.postgres.lock_retry import LockRetry
from traffic_platform.settings import Settings
from traffic_platform.verify import verify
from traffic_platform_tests.integration.aged_stream import (
    TOPIC,
    ensure,
    fill,
    grow_older,
    send,
)
from traffic_platform_tests.integration.once import drain, event, rows

COLUMNS = (
    'topic_no, partition, "offset", key, value, headers, broker_timestamp, ingested_at, batch_id,'
    " order_time"
)
NOW = datetime.now(UTC)
ODD = [  # unusual keys, values, headers and timestamps
    (1, 0, 900, None, None, None, None, None),
    (1, 0, 901, b"", b"", [], datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=UTC), None),
    (1, 1, 900, b"\x00\xff", bytes(300_000), [b"a", None, b"\xff", b""], NOW, NOW),
]


@pytest.fixture
def platform(settings: Settings, make_topic: Callable[..., str], tmp_path: Path) -> Settings:
    """Two partitions, known sensors only, nothing published, raw days archived."""
    make_topic(partitions=2, **TOPIC)
    return settings.model_copy(
        update={
            "unknown_sensors": "quarantine",
            "publish": False,
            "archive": tmp_path / "archive" / "raw",
        }
    )


def keep(settings: Settings) -> MaintenanceReport:
    """Run maintenance with little time to wait for locks."""
    return maintain_tables(settings, lock_retry=LockRetry(seconds=1))


def days_of(settings: Settings) -> list[date]:
    """Return the UTC days with arrivals."""
    found = rows(
        settings,
        "select distinct (ingested_at at time zone 'UTC')::date from traffic.raw_events order by 1",
    )
    return [day for (day,) in found]


def stored(settings: Settings) -> set[str]:
    """Return all rows of raw."""
    query = f"select {COLUMNS} from traffic.raw_events"
    return {repr(_plain(row)) for row in rows(settings, query)}


def archived(settings: Settings, days: list[date]) -> set[str]:
    """Return all archived rows of these days."""
    assert settings.archive is not None
    found: set[str] = set()
    for day in days:
        for batch in read_archived_day(settings.archive, day, rows=7):
            assert batch.num_rows <= 7
            found |= {repr(_plain(tuple(row.values()))) for row in batch.to_pylist()}
    return found


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(v.astimezone(UTC).isoformat() if isinstance(v, datetime) else v for v in row)


def insert_odd(owner: psycopg.Connection) -> None:
    """Insert the unusual messages, on a day without others."""
    ensure(owner, "raw_events", date(2025, 1, 2))
    with owner.cursor() as cursor:
        cursor.executemany(
            f"insert into traffic.raw_events ({COLUMNS})"
            " values (%s, %s, %s, %s, %s, %s, %s, '2025-01-02 12:00:00.000007+00', 1000000000, %s)",
            ODD,
        )


def test_a_day_is_dropped_when_the_archive_gives_it_back_byte_for_byte(
    platform: Settings, owner: psycopg.Connection
) -> None:
    fill(platform, owner)
    grow_older(owner, timedelta(days=40))
    days, before = days_of(platform), stored(platform)
    report = keep(platform)
    dropped = [one for one in report.retired.dropped if one.rows]
    assert [name for one in dropped for name in one.archives] == [
        f"raw_events_{day:%Y%m%d}.parquet" for day in days
    ]
    assert stored(platform) == set()
    assert archived(platform, days) == before
    proved = verify(platform, deep=True)
    assert proved.holds, [finding.sentence for finding in proved.findings]


def test_every_kind_of_message_survives_the_archive(
    platform: Settings, owner: psycopg.Connection
) -> None:
    fill(platform, owner, hours=1)
    insert_odd(owner)
    before = stored(platform)
    from traffic_platform.archive.write import archive_day

    assert platform.archive is not None
    day = datetime(2025, 1, 2, tzinfo=UTC)
    manifest = archive_day(owner, platform.archive, day.date(), (day, day + timedelta(days=1)))
    assert manifest is not None
    assert manifest.rows == len(ODD)
    assert [(log["partition"], log["rows"]) for log in manifest.logs] == [(0, 2), (1, 1)]
    assert archived(platform, [day.date()]) < before
    assert len(archived(platform, [day.date()])) == len(ODD)
    # Rows without an audit row keep their partition, archived or not.
    kept = keep(platform).retired.kept
    assert "no audit row" in kept["raw_events_20250102"]


@pytest.mark.parametrize("at", [4, 0.5, -9])
def test_a_file_with_one_other_byte_is_refused(
    platform: Settings, owner: psycopg.Connection, at: float
) -> None:
    fill(platform, owner, hours=1)
    grow_older(owner, timedelta(days=40))
    [day, *_] = days_of(platform)
    keep(platform)
    assert platform.archive is not None
    [path] = archived_parts(platform.archive, day)
    data = bytearray(path.read_bytes())
    data[int(at * len(data)) if 0 < at < 1 else int(at)] ^= 1
    path.write_bytes(data)
    with pytest.raises(ArchiveError, match="SHA-256 differs"):
        next(read_archived_day(platform.archive, day))


def test_a_day_created_again_is_archived_beside_its_dropped_part(
    platform: Settings, owner: psycopg.Connection
) -> None:
    fill(platform, owner, hours=1)
    grow_older(owner, timedelta(days=40))
    days, before = days_of(platform), stored(platform)
    keep(platform)
    send(platform, [event("a", 700), b"no event"], partition=0)
    drain(platform)
    grow_older(owner, timedelta(days=40))
    before |= stored(platform)
    days = sorted({*days, *days_of(platform)})
    keep(platform)
    assert archived(platform, days) == before
    assert platform.archive is not None
    assert max(len(archived_parts(platform.archive, day)) for day in days) == 2
    for path in platform.archive.glob("*.parquet"):
        manifest = Manifest.read(manifest_path(path))
        with path.open("rb") as file:
            assert checksum(file) == manifest.sha256
        assert path.stat().st_size == manifest.bytes
        assert path.stat().st_mode & 0o077 == 0


def test_an_archive_that_takes_no_file_keeps_the_day(
    platform: Settings, owner: psycopg.Connection, tmp_path: Path
) -> None:
    fill(platform, owner, hours=1)
    grow_older(owner, timedelta(days=40))
    before = stored(platform)
    blocked = tmp_path / "a file"
    blocked.write_text("in the way")
    with pytest.raises(ArchiveError, match="cannot write into the archive"):
        keep(platform.model_copy(update={"archive": blocked / "raw"}))
    assert stored(platform) == before


def test_the_archive_of_another_platform_is_not_overwritten(
    platform: Settings, owner: psycopg.Connection
) -> None:
    fill(platform, owner, hours=1)
    grow_older(owner, timedelta(days=40))
    [day, *_] = days_of(platform)
    before = stored(platform)
    assert platform.archive is not None
    platform.archive.mkdir(parents=True)
    path = platform.archive / f"raw_events_{day:%Y%m%d}.json"
    theirs = {"day": day.isoformat(), "part": 1, "file": "f", "rows": 1, "bytes": 1}
    path.write_text(
        json.dumps(theirs | {"sha256": "", "columns": {}, "platform_id": "other", "written_at": ""})
    )
    with pytest.raises(ArchiveError, match="another platform"):
        keep(platform)
    assert stored(platform) == before


def test_a_day_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="no file for 2025-01-01"):
        next(read_archived_day(tmp_path, date(2025, 1, 1)))

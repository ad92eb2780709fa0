"""Changes that spoil the sample: deleted, altered, doubled and invented rows in every table.

Tables and ledger alone reveal the changes of `SHALLOW`. Those of `DEEP` need Kafka's messages or a
second decoding. Each change is a statement, with the table and a part of the key that the first
finding must name.
"""

from __future__ import annotations

from typing import Any, NamedTuple

_COLUMNS = {
    "micro_batches": "batch_id topic_no partition first_offset next_offset delivered raw processed"
    " quarantined echoes inserted updated unchanged superseded event_dates date_counts"
    " rules_version run_id committed_at order_floor",
    "raw_events": "topic_no partition offset key value headers broker_timestamp ingested_at"
    " batch_id order_time",
    "processed_events": "topic_no partition offset sensor_id timestamp speed volume occupancy"
    " quality_score quality_flags format batch_id",
    "traffic_readings": "sensor_id timestamp speed volume occupancy quality_score quality_flags"
    " broker_timestamp topic_no partition offset created_at updated_at order_time",
    "quarantined_events": "topic_no partition offset reason detail key value broker_timestamp"
    " quarantined_at batch_id event_date order_time",
}


class Spoiling(NamedTuple):
    """A change, and the differences that verification must name."""

    statement: str
    table: str
    key: dict[str, Any]


def at(partition: int, offset: int) -> str:
    """Return the condition for a row of raw, processed, quarantine or readings by its position."""
    return f'topic_no = 1 and partition = {partition} and "offset" = {offset}'


def copy_row(table: str, where: str, **changes: str) -> str:
    """Return a statement that copies a row, with some columns changed."""
    names = _COLUMNS[table].split()
    into = ", ".join(f'"{name}"' for name in names)
    values = ", ".join(changes.get(name, f'"{name}"') for name in names)
    return (
        f"insert into traffic.{table} ({into}) select {values} from traffic.{table} where {where}"
    )


def alter(table: str, where: str, **changes: str) -> str:
    """Return a statement that changes columns of a row."""
    new = ", ".join(f'"{name}" = {value}' for name, value in changes.items())
    return f"update traffic.{table} set {new} where {where}"


def delete(table: str, where: str) -> str:
    """Return a statement that deletes a row."""
    return f"delete from traffic.{table} where {where}"


# The audit row of the batch that holds offset 10 of partition 0, found by its quarantined message.
SECOND = (
    "partition = 0 and batch_id ="
    f" (select batch_id from traffic.quarantined_events where {at(0, 10)})"
)
LATER = "+ interval '1 second'"
MEASURES = (
    ("speed", "17"),
    ("speed", "'NaN'"),
    ("volume", "null"),
    ("occupancy", "5"),
    ("quality_score", "0.5"),
    ("quality_flags", "2"),
    ("interval_s", "20"),
)

LEDGER = {
    "the ledger moved forward": Spoiling(
        alter("kafka_offsets", "partition = 0", next_offset="next_offset + 5"),
        "kafka_offsets",
        {"partition": 0},
    ),
    "the ledger moved back": Spoiling(
        alter("kafka_offsets", "partition = 1", next_offset="next_offset - 1"),
        "kafka_offsets",
        {"partition": 1},
    ),
    "the ledger's start altered": Spoiling(
        alter("kafka_offsets", "partition = 1", start_offset="1"),
        "micro_batches",
        {"partition": 1},
    ),
    "a ledger row deleted": Spoiling(
        delete("kafka_offsets", "partition = 1"), "kafka_offsets", {"partition": 1}
    ),
    "a ledger row invented": Spoiling(
        "insert into traffic.kafka_offsets (topic_no, partition, topic, start_offset, next_offset)"
        " select 1, 7, topic, 0, 5 from traffic.kafka_offsets where partition = 0",
        "kafka_offsets",
        {"partition": 7},
    ),
    "the ledger's order time altered": Spoiling(
        alter("kafka_offsets", "partition = 0", order_time=f"order_time {LATER}"),
        "micro_batches",
        {"partition": 0},
    ),
    "a ledger row made inactive": Spoiling(
        alter("kafka_offsets", "partition = 0", active="false"), "kafka_offsets", {"partition": 0}
    ),
    "a ledger row of another topic": Spoiling(
        alter("kafka_offsets", "partition = 0", topic="'other'"), "kafka_offsets", {"partition": 0}
    ),
    "the topic's identity altered": Spoiling(
        alter("topics", "true", kafka_topic_id="'other'"), "topics", {"topic_no": 1}
    ),
    "a loss invented": Spoiling(
        "insert into traffic.lost_ranges (topic_no, partition, first_offset, next_offset, cause)"
        " values (1, 0, 3, 5, 'retention')",
        "lost_ranges",
        {"partition": 0, "first_offset": 3},
    ),
}

AUDIT = {
    "an audit row deleted": Spoiling(
        delete("micro_batches", SECOND), "micro_batches", {"partition": 0}
    ),
    "an audit row doubled": Spoiling(
        copy_row("micro_batches", SECOND, batch_id="9999"), "micro_batches", {"batch_id": 9999}
    ),
    "an audit row's batch altered": Spoiling(
        alter("micro_batches", SECOND, batch_id="9999"), "micro_batches", {"partition": 0}
    ),
    **{
        f"an audit row's {column} altered": Spoiling(
            alter("micro_batches", SECOND, **{column: f"{column} + 1"}),
            "micro_batches",
            {"partition": 0},
        )
        for column in (
            "first_offset",
            "next_offset",
            "delivered",
            "raw",
            "processed",
            "quarantined",
            "echoes",
            "inserted",
            "updated",
            "unchanged",
            "superseded",
        )
    },
    "an audit row's counts altered so that they add up": Spoiling(
        alter(
            "micro_batches",
            SECOND,
            processed="processed + 1",
            quarantined="quarantined - 1",
            unchanged="unchanged + 1",
            date_counts="jsonb_build_object('2025-10-04', jsonb_build_object('raw', raw,"
            " 'processed', processed + 1, 'quarantined', quarantined - 1))",
            event_dates="'{2025-10-04}'",
        ),
        "micro_batches",
        {"partition": 0},
    ),
    "an event counted as inserted that was not": Spoiling(
        alter("micro_batches", SECOND, inserted="inserted + 1", unchanged="unchanged - 1"),
        "micro_batches",
        {"batch_id": "all"},
    ),
    "an audit row's order floor altered": Spoiling(
        alter("micro_batches", SECOND, order_floor="'2100-01-01'"),
        "micro_batches",
        {"partition": 0},
    ),
    "an audit row's event_dates altered": Spoiling(
        alter("micro_batches", SECOND, event_dates="'{2025-10-05}'"),
        "micro_batches",
        {"partition": 0},
    ),
    "an audit row's events moved to another date": Spoiling(
        alter(
            "micro_batches",
            "partition = 1 and first_offset = 0",
            event_dates="'{2025-10-05}'",
            date_counts="jsonb_build_object('2025-10-05', date_counts -> '2025-10-04')",
        ),
        "micro_batches",
        {"partition": 1},
    ),
}

RAW = {
    "a raw row deleted": Spoiling(
        delete("raw_events", at(0, 3)), "raw_events", {"partition": 0, "offset": 3}
    ),
    "a raw row doubled at another arrival": Spoiling(
        copy_row("raw_events", at(0, 3), ingested_at=f"ingested_at {LATER}"),
        "raw_events",
        {"partition": 0, "offset": 3},
    ),
    "a raw row invented": Spoiling(
        copy_row("raw_events", at(0, 3), offset="5000"),
        "processed_events",
        {"partition": 0, "offset": 5000},
    ),
    "a raw row's offset altered": Spoiling(
        alter("raw_events", at(1, 3), offset="5000"),
        "raw_events",
        {"partition": 1, "offset": 3},
    ),
    "a raw row's batch altered": Spoiling(
        alter("raw_events", at(0, 3), batch_id="9999"),
        "processed_events",
        {"partition": 0, "offset": 3},
    ),
    "a raw row's order time altered": Spoiling(
        alter("raw_events", at(1, 6), order_time=f"broker_timestamp {LATER}"),
        "traffic_readings",
        {},
    ),
    "a raw row's arrival altered": Spoiling(
        alter("raw_events", at(0, 3), ingested_at=f"ingested_at {LATER}"),
        "raw_events",
        {"partition": 0, "offset": 3},
    ),
}

PROCESSED = {
    "an event deleted": Spoiling(
        delete("processed_events", at(1, 4)), "processed_events", {"partition": 1, "offset": 4}
    ),
    "an event doubled at another time": Spoiling(
        copy_row("processed_events", at(1, 4), timestamp=f'"timestamp" {LATER}'),
        "processed_events",
        {"partition": 1, "offset": 4},
    ),
    "an event invented": Spoiling(
        copy_row("processed_events", at(1, 4), offset="5000"),
        "raw_events",
        {"partition": 1, "offset": 5000},
    ),
    "an event invented for a quarantined message": Spoiling(
        copy_row("processed_events", at(0, 4), offset="10"),
        "processed_events",
        {"partition": 0, "offset": 10},
    ),
    "an event's batch altered": Spoiling(
        alter("processed_events", at(1, 4), batch_id="9999"),
        "processed_events",
        {"partition": 1, "offset": 4},
    ),
    **{
        f"an event's {column} altered to {value}": Spoiling(
            alter("processed_events", at(1, 4), **{column: value}), "traffic_readings", {}
        )
        for column, value in (
            *MEASURES,
            ("event_no", "1"),
            ("sensor_id", "gen_random_uuid()"),
            ("timestamp", f'"timestamp" {LATER}'),
        )
    },
}

READINGS = {
    "a reading deleted": Spoiling(delete("traffic_readings", at(1, 6)), "traffic_readings", {}),
    "a reading invented": Spoiling(
        copy_row("traffic_readings", at(1, 6), timestamp=f'"timestamp" {LATER}'),
        "traffic_readings",
        {},
    ),
    "the sensor of a reading deleted": Spoiling(
        delete("sensors", "external_id = 'd'"), "traffic_readings", {}
    ),
    **{
        f"a reading's {column} altered to {value}": Spoiling(
            alter("traffic_readings", at(1, 6), **{column: value}), "traffic_readings", {}
        )
        for column, value in (
            *MEASURES,
            ("sensor_id", "(select sensor_id from traffic.sensors where external_id = 'd')"),
            ("timestamp", f'"timestamp" {LATER}'),
            ("broker_timestamp", f"broker_timestamp {LATER}"),
            ("order_time", f"broker_timestamp {LATER}"),
            ("topic_no", "2"),
            ("partition", "0"),
            ("event_no", "1"),
            ("offset", "7"),
        )
    },
    "a reading of an event that was overtaken": Spoiling(
        alter(
            "traffic_readings",
            at(0, 13),
            speed="50",
            offset="0",
            broker_timestamp=f"(select broker_timestamp from traffic.raw_events where {at(0, 0)})",
        ),
        "traffic_readings",
        {},
    ),
}

QUARANTINE = {
    "a quarantined message deleted": Spoiling(
        delete("quarantined_events", at(0, 10)),
        "processed_events",
        {"partition": 0, "offset": 10},
    ),
    "a quarantined message invented": Spoiling(
        copy_row("quarantined_events", at(0, 10), offset="5000"),
        "raw_events",
        {"partition": 0, "offset": 5000},
    ),
    "an event quarantined as well": Spoiling(
        copy_row("quarantined_events", at(0, 10), offset="4"),
        "processed_events",
        {"partition": 0, "offset": 4},
    ),
    **{
        f"a quarantined message's {column} altered": Spoiling(
            alter("quarantined_events", at(0, 10), **{column: value}),
            "quarantined_events",
            {"partition": 0, "offset": 10},
        )
        for column, value in (
            ("key", "null"),
            ("value", "'x'"),
            ("broker_timestamp", "null"),
            ("order_time", "now()"),
            ("quarantined_at", f"quarantined_at {LATER}"),
            ("batch_id", "99"),
            ("resolved_at", "now()"),
        )
    },
    "a sensor's external id altered": Spoiling(
        alter("sensors", "external_id = 'd'", external_id="'z'"), "sensors", {}
    ),
}

REPROCESSING = "kind = 'reprocess'"
EARLIER = "- interval '1 second'"
# One reprocessing stored offsets 12 and 13 of partition 1; offset 14 is in quarantine.
REPROCESSED = {
    "a reprocessed event deleted": Spoiling(
        delete("processed_events", at(1, 12)), "quarantined_events", {"partition": 1, "offset": 12}
    ),
    "the batch of a reprocessed event altered": Spoiling(
        alter("processed_events", at(1, 12), batch_id="9999"),
        "processed_events",
        {"partition": 1, "offset": 12},
    ),
    "the batch of a reprocessed event altered to that of its message": Spoiling(
        alter(
            "processed_events",
            at(1, 12),
            batch_id=f"(select batch_id from traffic.raw_events where {at(1, 12)})",
        ),
        "micro_batches",
        {"partition": 1},
    ),
    **{
        f"the {column} of a reprocessed event altered to {value}": Spoiling(
            alter("processed_events", at(1, 12), **{column: value}), "traffic_readings", {}
        )
        for column, value in MEASURES
    },
    "the resolution of a reprocessed event deleted": Spoiling(
        alter("quarantined_events", at(1, 12), resolved_at="null", resolution="null"),
        "processed_events",
        {"partition": 1, "offset": 12},
    ),
    **{
        f"the {column} of a reprocessed event altered": Spoiling(
            alter("quarantined_events", at(1, 12), **{column: value}),
            "quarantined_events",
            {"partition": 1, "offset": 12},
        )
        for column, value in (
            ("resolved_at", f"resolved_at {LATER}"),
            ("resolution", "'by hand'"),
        )
    },
    **{
        f"the event date of offset {offset} altered": Spoiling(
            alter("quarantined_events", at(1, offset), event_date="event_date - 1"),
            "micro_batches",
            {"partition": 1},
        )
        for offset in (12, 14)
    },
    "the message of a reprocessed event deleted from quarantine": Spoiling(
        delete("quarantined_events", at(1, 12)), "micro_batches", {"partition": 1}
    ),
    "a reprocessing's audit row deleted": Spoiling(
        delete("micro_batches", REPROCESSING), "processed_events", {"partition": 1, "offset": 12}
    ),
    "a reprocessing's audit row turned into one of an ingest run": Spoiling(
        alter("micro_batches", REPROCESSING, kind="'ingest'"), "micro_batches", {"partition": 1}
    ),
    "an ingest run's audit row turned into one of reprocessing": Spoiling(
        alter("micro_batches", SECOND, kind="'reprocess'"), "micro_batches", {"partition": 0}
    ),
    "the range of a reprocessing's audit row too short": Spoiling(
        alter("micro_batches", REPROCESSING, first_offset="first_offset + 1"),
        "processed_events",
        {"partition": 1, "offset": 12},
    ),
    **{
        f"a reprocessing's {column} altered": Spoiling(
            alter("micro_batches", REPROCESSING, **{column: f"{column} + 1"}),
            "micro_batches",
            {"partition": 1},
        )
        for column in (
            "next_offset",
            "delivered",
            "raw",
            "processed",
            "quarantined",
            "inserted",
            "updated",
            "unchanged",
            "superseded",
        )
    },
    "a reprocessing's counts altered so that they add up": Spoiling(
        alter(
            "micro_batches",
            REPROCESSING,
            processed="processed + 1",
            quarantined="quarantined - 1",
            unchanged="unchanged + 1",
            date_counts="jsonb_build_object('2025-10-04', jsonb_build_object('raw', 0,"
            " 'processed', processed + 1, 'quarantined', quarantined - 1))",
        ),
        "micro_batches",
        {"partition": 1},
    ),
    "a reprocessing's messages subtracted from another date": Spoiling(
        alter(
            "micro_batches",
            REPROCESSING,
            event_dates="'{2025-10-03,2025-10-04}'",
            date_counts="jsonb_build_object('2025-10-04', jsonb_build_object('raw', 2,"
            " 'processed', 2, 'quarantined', 0), '2025-10-03', jsonb_build_object('raw', -2,"
            " 'processed', 0, 'quarantined', -2))",
        ),
        "micro_batches",
        {"partition": 1},
    ),
    "a reprocessing's time altered": Spoiling(
        alter("micro_batches", REPROCESSING, committed_at=f"committed_at {EARLIER}"),
        "quarantined_events",
        {"partition": 1},
    ),
    "a reprocessing number deleted": Spoiling(
        delete("replayed_events", at(1, 12)), "replayed_events", {"partition": 1, "offset": 12}
    ),
    "the event of a reprocessing number altered": Spoiling(
        alter("replayed_events", at(1, 12), event_no="1"),
        "replayed_events",
        {"partition": 1, "offset": 12},
    ),
    "a reprocessing number altered": Spoiling(
        alter("replayed_events", at(1, 13), replay_no="replay_no + 5"),
        "replayed_events",
        {"partition": 1, "offset": 13},
    ),
    "reprocessing numbers out of order": Spoiling(
        alter("replayed_events", at(1, 12), replay_no="3")
        + "; "
        + alter("replayed_events", "replay_no > 1", replay_no="replay_no - 1"),
        "replayed_events",
        {"partition": 1, "offset": 12},
    ),
    "the batch of a reprocessing number altered": Spoiling(
        alter("replayed_events", at(1, 12), batch_id="9999"),
        "replayed_events",
        {"partition": 1, "offset": 12},
    ),
    "a reprocessing number invented": Spoiling(
        "insert into traffic.replayed_events select topic_no, partition, 3, 14, batch_id"
        f" from traffic.replayed_events where {at(1, 13)}",
        "replayed_events",
        {"partition": 1, "offset": 14},
    ),
}

SHALLOW = LEDGER | AUDIT | RAW | PROCESSED | READINGS | QUARANTINE | REPROCESSED

DEEP = {
    **{
        f"a raw row's {column} altered to {value}": Spoiling(
            alter("raw_events", at(0, 13), **{column: value}),
            "raw_events",
            {"partition": 0, "offset": 13},
        )
        for column, value in (
            ("value", "value || ' '"),
            ("key", "'k'"),
            ("headers", "array['trace', 'x']::bytea[]"),
            ("headers", "null"),
        )
    },
    "the event_no of a quarantined message altered": Spoiling(
        alter("quarantined_events", at(0, 10), event_no="1"),
        "quarantined_events",
        {"partition": 0, "offset": 10, "event_no": 0},
    ),
    "the broker time of an overtaken event's message altered": Spoiling(
        alter("raw_events", at(0, 0), broker_timestamp="broker_timestamp - interval '1 ms'"),
        "raw_events",
        {"partition": 0, "offset": 0},
    ),
    "the order time of an overtaken event's message altered": Spoiling(
        alter("raw_events", at(0, 0), order_time="broker_timestamp - interval '1 ms'"),
        "raw_events",
        {"partition": 0, "offset": 0},
    ),
    **{
        f"an overtaken event's {column} altered to {value}": Spoiling(
            alter("processed_events", at(0, 0), **{column: value}),
            "processed_events",
            {"partition": 0, "offset": 0},
        )
        for column, value in (*MEASURES, ("format", "2"), ("event_no", "1"))
    },
    "the format of a reprocessed event altered": Spoiling(
        alter("processed_events", at(1, 12), format="2"),
        "processed_events",
        {"partition": 1, "offset": 12},
    ),
    "the detail of a stranger's message altered": Spoiling(
        alter("quarantined_events", at(1, 14), detail="'no_object'"),
        "quarantined_events",
        {"partition": 1, "offset": 14},
    ),
    **{
        f"a quarantined message's {column} altered": Spoiling(
            alter("quarantined_events", at(0, 12), **{column: "'no_object'"}),
            "quarantined_events",
            {"partition": 0, "offset": 12},
        )
        for column in ("reason", "detail")
    },
    **{
        f"the {column} of the reading of offset {offset} altered": Spoiling(
            alter("traffic_readings", at(1, offset), **{column: f"{column} {LATER}"}),
            "traffic_readings",
            {},
        )
        for column in ("created_at", "updated_at")
        for offset in (6, 12)
    },
}

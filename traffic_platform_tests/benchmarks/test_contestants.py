"""Contestants of the benchmarks: each stores every event and reports its commits."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import psycopg
import pytest

from benchmarks.contestants import Task, batched, ingest_run, readings_only, row_by_row
from benchmarks.race import measured_rate
from benchmarks.stream import fill
from traffic_platform.settings import Settings

EVENTS = 1000
PLATFORM = ("traffic.raw_events", "traffic.processed_events", "traffic.traffic_readings")


@pytest.mark.parametrize(
    ("contestant", "tables"),
    [
        (ingest_run, PLATFORM),
        (readings_only, PLATFORM[2:]),
        (batched, ("readings",)),
        (row_by_row, ("readings",)),
    ],
    ids=["ingest_run", "readings_only", "batched", "row_by_row"],
)
def test_each_contestant_stores_every_event_and_reports_its_commits(
    contestant: ModuleType,
    tables: tuple[str, ...],
    settings: Settings,
    make_topic: Callable[..., str],
) -> None:
    endpoints = settings.endpoints()
    fill(endpoints.kafka_bootstrap_servers, make_topic(), EVENTS)
    task = Task(
        bootstrap_servers=endpoints.kafka_bootstrap_servers,
        owner_url=endpoints.owner_url,
        ingest_url=endpoints.ingest_url,
        topic=settings.raw_topic,
        group=settings.consumer_group,
        events=EVENTS,
    )
    commits: list[int] = []
    contestant.prepare(task)
    contestant.drain(task, commits.append)
    assert sum(commits) == EVENTS
    with psycopg.connect(endpoints.owner_url) as connection:
        for table in tables:
            assert connection.execute(f"select count(*) from {table}").fetchone() == (EVENTS,)


def test_a_rate_counts_neither_start_nor_first_batch_of_any_writer() -> None:
    one = [(10.0, 100), (11.0, 50), (12.0, 50)]
    other = [(10.5, 100), (11.5, 30), (13.0, 20)]
    assert measured_rate([one]) == (2.0, 50.0)
    # Half of the batch that `one` committed at 11.0 was done when `other` had committed once.
    assert measured_rate([one, other]) == (2.5, 50.0)

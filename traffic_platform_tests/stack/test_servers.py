"""The embedded servers by themselves: PostgreSQL's roles and limits, Kafka's topics."""

from __future__ import annotations

import psycopg

from traffic_platform.settings import Settings


def test_every_role_reaches_the_migrated_database(settings: Settings) -> None:
    endpoints = settings.endpoints()
    for url in (endpoints.owner_url, endpoints.ingest_url, endpoints.read_url):
        with psycopg.connect(url) as connection:
            assert connection.execute("select count(*) from traffic.raw_events").fetchone() == (0,)

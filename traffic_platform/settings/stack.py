"""Settings of the local stack."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from traffic_platform.settings.subject import FirstPort, SubjectSettings


class StackSettings(SubjectSettings):
    """Local stack

    If a port is taken, the stack uses the next free one. `traffic status` shows the addresses.
    """

    home: Path = Path(".traffic")
    """Folder of all local state: data of the embedded servers, passwords, logs and addresses. Its
    path must not contain a comma."""
    disk_free_gib: float = Field(default=5, ge=0)
    """Free space (GiB) below which `traffic status` and `traffic doctor` report the disk of
    TRAFFIC_HOME and that of the embedded PostgreSQL. 0: never."""
    postgres_port: FirstPort = 5432
    """First port to try for the embedded PostgreSQL."""
    kafka_port: FirstPort = 9092
    """First port to try for the embedded Kafka."""
    dagster_port: FirstPort = 3000
    """First port to try for Dagster's webserver."""

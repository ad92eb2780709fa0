"""Status of the stack: the supervisor's state, and answers of each part."""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg

from traffic_platform.errors import IngestError
from traffic_platform.events.texts import utc_text
from traffic_platform.kafka.admin import require_answer
from traffic_platform.monitoring.disk_space import full_disks
from traffic_platform.postgres.connections import connect
from traffic_platform.postgres.identity import require_timezone
from traffic_platform.settings import Endpoints, Settings, SettingsError
from traffic_platform.stack.control import folders_of, living_state
from traffic_platform.stack.dagster import location_error
from traffic_platform.stack.state import ServiceState, StackState

_ANSWER_SECONDS = 5


@dataclass
class Status:
    """Content of `traffic status`. `problems` is empty when everything serves."""

    services: dict[str, ServiceState] = field(default_factory=dict[str, ServiceState])
    kafka: str | None = None
    postgres: str | None = None
    postgres_read: str | None = None
    dagster: str | None = None
    api: str | None = None
    lag: int | None = None
    publish_lag: int | None = None
    last_commit_at: datetime | None = None
    problems: list[str] = field(default_factory=list[str])

    @property
    def healthy(self) -> bool:
        """Whether every part serves."""
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        """Return the contract of `traffic status --json`. The URLs of `postgres` hold passwords."""
        return {
            "healthy": self.healthy,
            "kafka": {"bootstrap_servers": self.kafka},
            "postgres": {"url": self.postgres, "read_url": self.postgres_read},
            "dagster": {"url": self.dagster},
            "api": {"url": self.api} if self.api else None,
            "dashboard": {"url": self.api} if self.api else None,
            "services": {
                name: asdict(service)
                | {"since": utc_text(datetime.fromtimestamp(service.since, UTC))}
                for name, service in self.services.items()
            },
            "lag": self.lag,
            "publish_lag": self.publish_lag,
            "last_commit_at": utc_text(self.last_commit_at) if self.last_commit_at else None,
            "problems": self.problems,
        }


def read_status(settings: Settings, missing: str | None = None) -> Status:
    """Read the supervisor's file, then ask PostgreSQL and Kafka. An outage becomes a problem.

    `missing` says where no stack runs.
    """
    state = living_state(folders_of(settings))
    status = Status()
    if state is None:
        missing = missing or f"no stack runs in {folders_of(settings).home} (TRAFFIC_HOME)"
        status.problems.append(f"{missing}. Run `traffic up`")
        return status
    _add_supervisor(status, state)
    status.problems.extend(full_disks(settings))
    try:
        endpoints = settings.endpoints()
    except SettingsError as error:
        status.problems.append(str(error))
        return status
    status.kafka = endpoints.kafka_bootstrap_servers
    status.postgres, status.postgres_read = endpoints.owner_url, endpoints.read_url
    serving = [_add_kafka(status, settings), _add_last_commit(status, endpoints, settings.timezone)]
    if all(serving):
        _add_lag(status, settings)
    return status


def _add_supervisor(status: Status, state: StackState) -> None:
    # Finished tasks are not services.
    status.services = {
        name: service for name, service in state.services.items() if service.state != "done"
    }
    status.dagster = state.dagster_url
    status.api = state.api_url
    if state.phase != "ready":
        status.problems.append(f"the stack is {state.phase}")
    for name, service in status.services.items():
        if service.state != "running":
            status.problems.append(f"{name} is {service.state}; see {service.log}")
    if state.dagster_url and not status.problems:
        error = location_error(state.dagster_url)
        if error:
            status.problems.append(f"Dagster: {' '.join(error.split())}")


def _add_kafka(status: Status, settings: Settings) -> bool:
    try:
        require_answer(settings.kafka_config(), _ANSWER_SECONDS)
    except IngestError as error:
        status.problems.append(str(error))
        return False
    return True


def _add_last_commit(status: Status, endpoints: Endpoints, timezone: str) -> bool:
    # The ledger has a row per partition. The audit has millions of rows, ordered by batch.
    query = "select max(updated_at) from traffic.kafka_offsets where next_offset > start_offset"
    try:
        with connect(endpoints.read_url, application_name="traffic-status") as connection:
            row = connection.execute(query).fetchone()
            status.last_commit_at = row[0] if row else None
            require_timezone(connection, timezone)
    except psycopg.errors.LockNotAvailable:
        pass  # reading the lag tells more
    except psycopg.Error as error:
        status.problems.append(f"PostgreSQL: {' '.join(str(error).split())}")
        return False
    except SettingsError as error:
        status.problems.append(str(error))
    return True


def _add_lag(status: Status, settings: Settings) -> None:
    from traffic_platform.monitoring.lag import LagReader  # noqa: PLC0415

    try:
        with closing(LagReader(settings)) as reader:
            lags = reader.read(settings.ingest_topics)
            status.lag = sum(partition.lag for partition in lags)
            status.publish_lag = reader.publication_lag().total
            status.problems.extend(map(str, reader.open_transactions(lags)))
            stall = reader.stall(lags)
            if stall is not None:
                status.problems.append(str(stall))
    except IngestError as error:
        status.problems.append(f"lag: {error}")
        _add_blockers(status, settings)


def _add_blockers(status: Status, settings: Settings) -> None:
    """Name the sessions that lock the ledger, if that kept us from reading it."""
    from traffic_platform.monitoring.lag import LagReader  # noqa: PLC0415
    from traffic_platform.monitoring.stall import describe_blockers  # noqa: PLC0415

    with suppress(IngestError), closing(LagReader(settings)) as reader:
        if blockers := reader.blockers():
            status.problems.append(f"the ledger cannot be read. {describe_blockers(blockers)}")

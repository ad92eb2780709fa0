"""Work that every start of the stack does once, each in a process that ends afterwards.

    python -m traffic_platform.stack.tasks schema    roles, databases, migrations
    python -m traffic_platform.stack.tasks topics    the platform's topics

Both first see that the server which the settings name answers. What goes wrong is the last line on
standard error: the supervisor shows it.
"""

from __future__ import annotations

import sys

import psycopg
from psycopg import conninfo, sql

from traffic_platform.ingest.migrate import migrate
from traffic_platform.settings import Settings, SettingsError, load_settings
from traffic_platform.stack.errors import StackError
from traffic_platform.stack.kafka import broker_cluster_id, create_topics
from traffic_platform.stack.postgres import embedded_postgres

_ANSWER_SECONDS = 15


def prepare_schema(settings: Settings) -> None:
    """Make the databases ready for this version.

    Raises StackError or SettingsError when PostgreSQL cannot be reached or does not let us.
    """
    if settings.database_url is None:
        embedded_postgres(settings).provision()
    else:
        _check_database(settings)
    migrate(settings.endpoints().owner_url, settings.timezone)


def prepare_topics(settings: Settings) -> None:
    """Create the topics that are not there. Raises StackError when Kafka cannot be reached."""
    config = settings.kafka_config()
    servers = config["bootstrap.servers"]
    if broker_cluster_id(dict(config), _ANSWER_SECONDS) is None:
        raise StackError(
            f"Kafka at {servers} does not answer: see that it runs and that"
            " TRAFFIC_KAFKA_BOOTSTRAP_SERVERS and TRAFFIC_KAFKA_SECURITY_PROTOCOL are right,"
            " or unset them to use the embedded one."
        )
    create_topics(settings, servers, (settings.raw_topic, settings.events_topic))


def _check_database(settings: Settings) -> None:
    """See that the named server answers, and make Dagster's database where it is missing."""
    endpoints = settings.endpoints()
    try:
        with psycopg.connect(
            endpoints.owner_url, connect_timeout=_ANSWER_SECONDS, autocommit=True
        ) as connection:
            _ensure_dagster_database(connection, endpoints.dagster_url)
    except psycopg.OperationalError as error:
        raise StackError(
            f"PostgreSQL of TRAFFIC_DATABASE_URL cannot be used: {error};"
            " correct the URL, or unset it to use the embedded one."
        ) from error


def _ensure_dagster_database(connection: psycopg.Connection, dagster_url: str) -> None:
    try:
        psycopg.connect(dagster_url, connect_timeout=_ANSWER_SECONDS).close()
    except psycopg.OperationalError as missing:
        name = conninfo.conninfo_to_dict(dagster_url).get("dbname")
        try:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(str(name))))
        except psycopg.Error as error:
            raise StackError(
                f"Dagster's database {name!r} cannot be used ({missing}) nor made ({error}):"
                " create it, or name another with TRAFFIC_DAGSTER_DATABASE_URL."
            ) from error


def main() -> None:
    """Do the task that the command line names."""
    work = {"schema": prepare_schema, "topics": prepare_topics}[sys.argv[1]]
    try:
        work(load_settings())
    except (StackError, SettingsError, psycopg.Error) as error:
        sys.exit(" ".join(str(error).split()))


if __name__ == "__main__":
    main()

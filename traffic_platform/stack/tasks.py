"""Tasks at every start of the stack, each in its own process.

    python -m traffic_platform.stack.tasks schema    roles, databases, migrations
    python -m traffic_platform.stack.tasks topics    the platform's topics

Both first check that the server in the settings answers. An error is the last line on standard
error, which the supervisor shows.
"""

from __future__ import annotations

import sys

import psycopg
from psycopg import sql

from traffic_platform.database_url import same_server, url_parts, with_database
from traffic_platform.errors import IngestError, TransientError
from traffic_platform.kafka.admin import require_answer
from traffic_platform.settings import Endpoints, Settings, SettingsError, load_settings
from traffic_platform.stack.errors import StackError
from traffic_platform.stack.kafka import create_topics
from traffic_platform.stack.postgres import embedded_postgres

_ANSWER_SECONDS = 15


def prepare_schema(settings: Settings) -> None:
    """Prepare the databases for this version.

    Raises StackError or SettingsError when PostgreSQL does not answer or refuses.
    """
    # The import takes two seconds, which the other task can do without.
    from traffic_platform.postgres.migrate import migrate  # noqa: PLC0415

    if settings.database_url is None:
        embedded_postgres(settings).provision()
    else:
        _check_database(settings)
    migrate(settings.endpoints().owner_url, settings.timezone)


def prepare_topics(settings: Settings) -> None:
    """Create the missing topics.

    Raises StackError when Kafka does not answer, PermanentError when it refuses.
    """
    servers = settings.endpoints().kafka_bootstrap_servers
    try:
        require_answer(settings.kafka_config(), _ANSWER_SECONDS)
    except TransientError as error:
        raise StackError(
            f"{error}. Start it, or correct TRAFFIC_KAFKA_BOOTSTRAP_SERVERS and"
            " TRAFFIC_KAFKA_SECURITY_PROTOCOL, or unset them to use the embedded Kafka."
        ) from error
    quarantine = [settings.quarantine_topic] if settings.quarantine_topic else []
    create_topics(settings, servers, (*settings.ingest_topics, *quarantine))


def _check_database(settings: Settings) -> None:
    """Check that the server answers, and create Dagster's database if it is missing."""
    endpoints = settings.endpoints()
    try:
        psycopg.connect(endpoints.owner_url, connect_timeout=_ANSWER_SECONDS).close()
    except psycopg.OperationalError as error:
        raise StackError(
            f"PostgreSQL of TRAFFIC_DATABASE_URL cannot be used: {error}."
            " Correct the URL, or unset it to use the embedded PostgreSQL."
        ) from error
    try:
        psycopg.connect(endpoints.dagster_url, connect_timeout=_ANSWER_SECONDS).close()
    except psycopg.OperationalError as refused:
        _create_if_missing(endpoints, refused)


def _create_if_missing(endpoints: Endpoints, refused: psycopg.OperationalError) -> None:
    """Create Dagster's database if its server has no database of that name.

    A failed connection has no SQLSTATE, and its text is in the server's language. So a query in an
    existing database decides.
    """
    name = url_parts(endpoints.dagster_url)["dbname"]
    same = same_server(endpoints.dagster_url, endpoints.owner_url)
    existing = url_parts(endpoints.owner_url)["dbname"] if same else "postgres"
    url = with_database(endpoints.dagster_url, existing)
    try:
        with psycopg.connect(url, connect_timeout=_ANSWER_SECONDS, autocommit=True) as connection:
            query = "select 1 from pg_database where datname = %s"
            if connection.execute(query, [name]).fetchone() is None:
                create = sql.SQL("create database {}").format(sql.Identifier(name))
                connection.execute(create)
                return
    except psycopg.errors.DuplicateDatabase:
        return  # another start has just created it
    except psycopg.Error as error:
        raise StackError(
            f"Dagster's database {name!r} cannot be used ({refused}) or created ({error})."
            " Create it, or name another with TRAFFIC_DAGSTER_DATABASE_URL."
        ) from error
    raise StackError(
        f"Dagster's database {name!r} cannot be used: {refused}."
        " Correct TRAFFIC_DAGSTER_DATABASE_URL, or allow its role to connect."
    ) from refused


def main() -> None:
    """Do the task that the command line names."""
    work = {"schema": prepare_schema, "topics": prepare_topics}[sys.argv[1]]
    try:
        work(load_settings())
    except (StackError, SettingsError, IngestError, psycopg.Error) as error:
        sys.exit(" ".join(str(error).split()))


if __name__ == "__main__":
    main()

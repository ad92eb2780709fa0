"""Fixtures of more than one folder: a real PostgreSQL, a real Kafka, and settings for them.

Both servers are started once per session, in a temporary folder, when the first test asks for
them, and end with it. A test gets its own database, copied from a migrated one, and its own topic
names, so that no test sees the events of another.

    def test_…(settings, make_topic, produce):
        make_topic()                                # settings.raw_topic, 6 partitions
        produce([b"…", b"…"])                       # returns when the broker has them
        with psycopg.connect(settings.endpoints().ingest_url) as connection: …
"""

from __future__ import annotations

import contextlib
import inspect
import os
import signal
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from psycopg import sql

from traffic_platform.settings import Settings
from traffic_platform.stack.kafka import Kafka, wait_for_topics
from traffic_platform.stack.ports import Ports
from traffic_platform.stack.postgres import Postgres
from traffic_platform.stack.standalone import Standalone, standalone_kafka, standalone_postgres
from traffic_platform_tests.versions.oldest import OldestKafka
from traffic_platform_tests.webhook import Webhook

TEMPLATE = "traffic_template"
# Nothing in a test stops the machine, and a killed server loses nothing that it has written. With
# the default settings, to drop a database waits for the disk (measured: 0.1 to 2 s, now 0.02 s).
# The hash of a password takes 6 ms of each connection, and tests open one for each question.
QUICK = {"fsync": "off", "scram_iterations": "1"}


def pytest_configure() -> None:
    """A shell that starts the tests in the background ignores ctrl-C for them and what they start.

    Tests send it to what they start.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the number of seeds of the tests whose moments are random."""
    parser.addoption("--seeds", type=int, default=1, help="seeds of tests with random moments")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with the argument `story_seed` once for each seed."""
    if "story_seed" in metafunc.fixturenames:
        metafunc.parametrize("story_seed", range(metafunc.config.getoption("--seeds")))


HERE = Path(__file__).parent
# Their files take the longest, up to a minute. They come first, so that the processes that run
# the tests end at about the same time. A folder with servers of its own, which run until the end,
# comes late.
LONG_FOLDERS = (
    "faults", "orchestration", "stack", "demo", "integration", "browser", "security", "cli", "api"
)  # fmt: skip
# One process runs all tests of such a folder, because they share servers of their own.
WHOLE_FOLDERS = ("browser", "security")
# Fixtures that start a server or a browser, and the names that a test starts processes with.
SERVER_FIXTURES = {"postgres", "kafka", "secured_process", "make_stack", "browser"}
PROCESS_NAMES = {"multiprocessing", "standalone_kafka", "standalone_postgres", "subprocess"}


@pytest.hookimpl(tryfirst=True)  # before the tests are selected by their marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first, and mark the tests that start servers or processes.

    `-m "not servers"` selects the others.
    """
    items.sort(key=lambda item: rank(item.path.relative_to(HERE).parts[0]))
    for item in items:
        if isinstance(item, pytest.Function) and (
            not SERVER_FIXTURES.isdisjoint(item.fixturenames)
            or not PROCESS_NAMES.isdisjoint(names_used(inspect.unwrap(item.function)))
        ):
            item.add_marker(pytest.mark.servers)


def rank(folder: str) -> int:
    """Return the place of a folder in the order of tests."""
    return LONG_FOLDERS.index(folder) if folder in LONG_FOLDERS else len(LONG_FOLDERS)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """With `--dist loadfile`, keep whole folders together too."""
    from xdist.scheduler import LoadFileScheduling

    class ByFileOrFolder(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            folder = file.removeprefix(f"{HERE.name}/").partition("/")[0]
            return folder if folder in WHOLE_FOLDERS else file

    return ByFileOrFolder(config, log) if config.getvalue("dist") == "loadfile" else None


def names_used(function: Callable[..., object]) -> set[str]:
    """Return the names in the code of a function and of its module's functions that it calls."""
    names: set[str] = set()
    waiting = [function]
    while waiting:
        one = waiting.pop()
        found = set(one.__code__.co_names) - names
        names |= found
        called = (one.__globals__.get(name) for name in found)
        waiting += [
            other
            for other in called
            if inspect.isfunction(other) and other.__module__ == function.__module__
        ]
    return names


@dataclass(frozen=True)
class PostgresServer:
    """The session's PostgreSQL. `process` stops, kills and starts it again on the same port."""

    service: Postgres
    process: Standalone
    _unused: list[str] = field(default_factory=list[str])

    def superuser(self) -> psycopg.Connection:
        """A connection that may do everything, in autocommit."""
        return psycopg.connect(self.service.url("postgres", "postgres"), autocommit=True)

    @contextlib.contextmanager
    def new_database(self, owner: str, template: str) -> Iterator[str]:
        """Copy a database, and yield its name.

        It is dropped when the next one is created. By then its connections have ended, and the
        server need not wait for them (measured: 0.1 s).
        """
        name = f"test_{uuid.uuid4().hex[:12]}"
        with self.superuser() as connection:
            while self._unused:
                drop = sql.SQL("drop database {} with (force)")
                connection.execute(drop.format(sql.Identifier(self._unused.pop())))
            self.service.create_database(connection, name, owner, template=template)
        yield name
        self._unused.append(name)


@dataclass(frozen=True)
class KafkaServer:
    """The session's broker. `process` stops, kills and starts it again on the same port."""

    service: Kafka
    process: Standalone

    @property
    def bootstrap_servers(self) -> str:
        """What clients connect to."""
        return self.service.bootstrap_servers


@pytest.fixture(scope="session")
def server_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data and logs of the session's servers."""
    return tmp_path_factory.mktemp("servers")


@pytest.fixture(scope="session")
def server_ports(server_folder: Path) -> Iterator[Ports]:
    """Ports beside those of a stack that a person may have running."""
    ports = Ports(server_folder / "ports.json")
    yield ports
    ports.close()


@pytest.fixture(scope="session")
def postgres(server_folder: Path, server_ports: Ports) -> Iterator[PostgresServer]:
    """A running PostgreSQL with the platform's roles and a migrated template database."""
    from traffic_platform.postgres.migrate import migrate

    service = standalone_postgres(server_folder, server_ports, first_port=25432)
    if other := os.environ.get("TRAFFIC_TEST_POSTGRES"):
        service = replace(service, binaries=Path(other), properties={"fsync": "off"})
    else:
        service = replace(service, properties=QUICK)
    process = Standalone(service, server_folder / "logs")
    process.start()
    try:
        service.provision()
        server = PostgresServer(service, process)
        with server.superuser() as connection:
            service.create_database(connection, TEMPLATE, "traffic_owner")
        migrate(service.url("traffic_owner", TEMPLATE), "UTC")
        yield server
    finally:
        process.stop()


@pytest.fixture(scope="session")
def kafka(server_folder: Path, server_ports: Ports) -> Iterator[KafkaServer]:
    """A running Kafka."""
    service = standalone_kafka(server_folder, server_ports, first_port=29092)
    if os.environ.get("TRAFFIC_TEST_KAFKA"):
        service = OldestKafka(service.folder, service.port, service.controller_port)
    process = Standalone(service, server_folder / "logs")
    process.start()
    try:
        yield KafkaServer(service, process)
    finally:
        process.stop()


@pytest.fixture
def template() -> str:
    """Name of the database that a test's own is copied from. Modules have others."""
    return TEMPLATE


@pytest.fixture
def database(postgres: PostgresServer, template: str) -> Iterator[str]:
    """Name of a migrated database of the test's own."""
    with postgres.new_database("traffic_owner", template) as name:
        yield name


@pytest.fixture
def owner(postgres: PostgresServer, database: str) -> Iterator[psycopg.Connection]:
    """The owner of the test's own database, in autocommit."""
    url = postgres.service.url("traffic_owner", database)
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def reader(postgres: PostgresServer, database: str) -> Iterator[psycopg.Connection]:
    """The reading role in the same database, in autocommit."""
    url = postgres.service.url("traffic_read", database)
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def settings(
    postgres: PostgresServer, kafka: KafkaServer, database: str, tmp_path: Path
) -> Settings:
    """Settings of the test's own: database, topics (not created yet), group and home."""
    return own_settings(postgres, kafka, database, tmp_path / "home")


def own_settings(
    postgres: PostgresServer, kafka: KafkaServer, database: str, home: Path
) -> Settings:
    """Return settings with this database and home, and new names of topics and group."""
    name = f"t{uuid.uuid4().hex[:12]}"
    return Settings(
        _env_file=None,  # pyright: ignore[reportCallIssue]
        home=home,
        kafka_bootstrap_servers=kafka.bootstrap_servers,
        database_url=postgres.service.url("traffic_owner", database),  # pyright: ignore[reportArgumentType]
        ingest_database_url=postgres.service.url("traffic_ingest", database),  # pyright: ignore[reportArgumentType]
        read_database_url=postgres.service.url("traffic_read", database),  # pyright: ignore[reportArgumentType]
        dagster_database_url=postgres.service.url("dagster", "dagster"),  # pyright: ignore[reportArgumentType]
        raw_topic=f"{name}-raw",
        events_topic=f"{name}-events",
        consumer_group=f"{name}-group",
    )


@pytest.fixture
def in_zone(
    postgres: PostgresServer, database: str, owner: psycopg.Connection, tmp_path: Path
) -> Callable[..., Settings]:
    """in_zone("UTC", **settings): settings for the database, which keeps its dates in that zone."""

    def make(timezone: str = "UTC", **changes: Any) -> Settings:
        owner.execute("update traffic.platform set timezone = %s", (timezone,))
        return Settings(
            _env_file=None,  # pyright: ignore[reportCallIssue]
            home=tmp_path / "home",
            kafka_bootstrap_servers="nowhere:9092",
            database_url=postgres.service.url("traffic_owner", database),  # pyright: ignore[reportArgumentType]
            ingest_database_url=postgres.service.url("traffic_ingest", database),  # pyright: ignore[reportArgumentType]
            read_database_url=postgres.service.url("traffic_read", database),  # pyright: ignore[reportArgumentType]
            timezone=timezone,
            **changes,
        )

    return make


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    """The same settings as environment variables, for processes that a test starts."""
    return as_environment(settings)


def as_environment(settings: Settings) -> dict[str, str]:
    """Settings as the environment variables that give them."""
    variables = {"TRAFFIC_HOME": str(settings.home)}
    for name, value in settings.model_dump(exclude_unset=True).items():
        secret = getattr(value, "get_secret_value", None)
        variables[f"TRAFFIC_{name.upper()}"] = secret() if secret else str(value)
    return variables


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    """A server that keeps what it is sent."""
    server = Webhook()
    yield server
    server.close()


@pytest.fixture
def admin(kafka: KafkaServer) -> AdminClient:
    """Kafka's admin client."""
    return AdminClient({"bootstrap.servers": kafka.bootstrap_servers})


@pytest.fixture
def make_topic(settings: Settings, admin: AdminClient) -> Iterator[Callable[..., str]]:
    """make_topic(name=settings.raw_topic, partitions=6, **config): create it; deleted after."""
    made: set[str] = set()

    def make(name: str | None = None, partitions: int | None = None, **config: str) -> str:
        topic = name or settings.raw_topic
        made.add(topic)
        create_topic(admin, topic, partitions or settings.topic_partitions, **config)
        return topic

    yield make
    present = made & set(admin.list_topics(timeout=30).topics)
    for future in admin.delete_topics(sorted(present)).values() if present else ():
        future.result(timeout=30)


def create_topic(admin: AdminClient, name: str, partitions: int, **config: str) -> None:
    """Create a topic, with "_" for "." in the names of its configuration."""
    topic = NewTopic(
        name,
        num_partitions=partitions,
        replication_factor=1,
        config={
            "message.timestamp.type": "LogAppendTime",
            **{key.replace("_", "."): value for key, value in config.items()},
        },
    )
    admin.create_topics([topic])[name].result(timeout=30)
    wait_for_topics(admin, [name])


@pytest.fixture
def producer(kafka: KafkaServer) -> Iterator[Producer]:
    """A producer whose messages are on the broker's log when `flush` returns."""
    client = Producer({"bootstrap.servers": kafka.bootstrap_servers, "acks": "all", "linger.ms": 5})
    yield client
    client.flush(30)


@pytest.fixture
def produce(settings: Settings, producer: Producer) -> Callable[..., None]:
    """produce(values, topic=settings.raw_topic, partition=None, key=None): send, wait for acks."""

    def send(
        values: Iterable[bytes | None],
        topic: str | None = None,
        partition: int | None = None,
        key: bytes | None = None,
    ) -> None:
        errors: list[object] = []

        def delivered(error: object, _message: object) -> None:
            if error is not None:
                errors.append(error)

        where = {} if partition is None else {"partition": partition}
        for value in values:
            while True:
                try:
                    producer.produce(
                        topic or settings.raw_topic, value, key, on_delivery=delivered, **where
                    )
                    break
                except BufferError:
                    producer.poll(0.1)
        left = producer.flush(60)
        assert not errors, errors[0]
        assert left == 0, f"{left} messages were not acknowledged in 60 s"

    return send

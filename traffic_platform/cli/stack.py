"""`traffic up`, `down` and `status`: start, stop and show the local stack."""

from __future__ import annotations

import signal
import sys
import time
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from traffic_platform.cli.console import load_settings, print_json, print_table, say, time_text

if TYPE_CHECKING:
    from traffic_platform.monitoring.table_sizes import Storage, TableSize
    from traffic_platform.settings import Settings
    from traffic_platform.stack.state import StackState
    from traffic_platform.stack.status import Status

Demo = Literal["none", "sample", "live"]
_DAGSTER_TABLES = 6  # shown, of about thirty


def up(
    *,
    detach: Annotated[bool, typer.Option("--detach", help="Return when it serves.")] = False,
    demo: Annotated[
        Demo,
        typer.Option(help="sample: load a recorded hour. live: also send a synthetic feed."),
    ] = "none",
    no_dagster: Annotated[
        bool, typer.Option("--no-dagster", help="Leave Dagster to `dagster dev`.")
    ] = False,
) -> None:
    """Start the local stack.

    It consists of PostgreSQL, Kafka, Dagster, the API and the dashboard. A server named by
    TRAFFIC_DATABASE_URL or TRAFFIC_KAFKA_BOOTSTRAP_SERVERS is used instead of a local one. If the
    stack runs already, nothing is started twice. Without --detach it runs until ctrl-C. State, data
    and logs are in TRAFFIC_HOME (default .traffic).

    Example: traffic up --detach --demo sample
    """
    from traffic_platform.cli.demo import load_demo, show_sample
    from traffic_platform.stack import control
    from traffic_platform.stack.status import read_status

    settings = load_settings()
    settings = settings.model_copy(update={"home": control.folders_of(settings).home})
    # A closing terminal or a service manager stops the stack like ctrl-C.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    progress = _Progress()
    start = control.Start(
        settings, with_dagster=not no_dagster, attached=not detach, report=progress.stack
    )
    late = False
    try:
        if demo == "none":
            start.wait()
        else:
            late = not load_demo(settings, start, demo, progress.say)
        if start.process is None:
            progress.say("The stack was running already. `traffic down` stops it.")
        found = read_status(settings)
        _show_urls(found)
        if demo != "none" and found.api:
            show_sample(found.api, settings)
        _show_policy(settings)
    except BaseException:
        # Stop the started processes after an error. A stack that was running before stays.
        start.cancel()
        raise
    if start.process is not None and not detach:
        typer.echo("Ctrl-C stops the stack.")
        raise typer.Exit(control.wait_for_end(start.process))
    raise typer.Exit(1 if late else 0)


def down() -> None:
    """Stop the local stack. Its data stays in TRAFFIC_HOME.

    Example: traffic down
    """
    from traffic_platform.stack import control
    from traffic_platform.stack.find import find_stack

    stopped = control.stop(control.folders_of(find_stack(load_settings()).settings))
    sys.stdout.write("The stack has stopped.\n" if stopped else "No stack is running.\n")


def status(
    *,
    storage: Annotated[
        bool, typer.Option("--storage", help="Also show the sizes of the tables.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, with the owner's database URL.")
    ] = False,
) -> None:
    """Show the state of the local stack. The exit code is 0 if everything serves, else 1.

    --storage adds rows (estimated), sizes and dates of every table, of Dagster's storage and of the
    archive. It also works without a local stack. Outside the clone of the repository, the command
    shows the stack of the clone, unless TRAFFIC_HOME is set.

    Example: traffic status --storage
    """
    from traffic_platform.stack.find import find_stack
    from traffic_platform.stack.status import read_status

    stack = find_stack(load_settings())
    settings = stack.settings
    found = read_status(settings, stack.missing)
    sizes = _read_storage(settings, found) if storage else None
    if as_json:
        print_json(found.as_json() | ({"storage": sizes.as_json()} if sizes else {}))
    else:
        _show_status(found)
        if sizes:
            _show_storage(sizes)
    raise typer.Exit(0 if found.healthy else 1)


def _read_storage(settings: Settings, found: Status) -> Storage | None:
    """Return the sizes, or None after adding an outage to the problems."""
    from traffic_platform.errors import IngestError
    from traffic_platform.monitoring.table_sizes import read_storage
    from traffic_platform.settings import SettingsError

    try:
        return read_storage(settings)
    except (IngestError, SettingsError) as error:
        found.problems.append(f"sizes: {error}")
        return None


class _Progress:
    """Progress of the start on standard error: a line for each step, with the seconds so far."""

    def __init__(self) -> None:
        self._printed: set[str] = set()
        self._started = time.monotonic()

    def say(self, line: str) -> None:
        """Print a line, unless it was printed before."""
        if line not in self._printed:
            self._printed.add(line)
            sys.stderr.write(f"{time.monotonic() - self._started:5.1f} s  {line}\n")

    def stack(self, state: StackState) -> None:
        """Print the services that serve now, and a download, which takes time."""
        from traffic_platform.stack.kafka_jars import jars_are_there

        for name, service in state.services.items():
            if service.state == "running":
                self.say(f"{name} serves")
            elif service.state == "preparing" and name == "kafka" and not jars_are_there():
                self.say("kafka: downloading its JAR files (44 MB, once)")


def _show_urls(found: Status) -> None:
    from traffic_platform.database_url import without_secrets

    lines = {
        "PostgreSQL": found.postgres and without_secrets(found.postgres),
        "Kafka": found.kafka,
        "Dagster": found.dagster,
        "Dashboard": found.api,
        "API": found.api and f"{found.api}/docs",
    }
    for name, where in lines.items():
        if where:
            typer.echo(f"{name + ':':<12}{where}")


def _show_policy(settings: Settings) -> None:
    """Print that requests need a key, if other machines can reach the API."""
    from traffic_platform.api.security.policy import Policy

    policy = Policy.of(settings)
    if not policy.local_reads:
        typer.echo(policy.describe(settings))


def _show_status(found: Status) -> None:
    from datetime import UTC, datetime

    rows = [
        (name, service.state, str(service.pid or ""), service.restarts,
         time_text(datetime.fromtimestamp(service.since, UTC)))
        for name, service in found.services.items()
    ]  # fmt: skip
    if rows:
        print_table("", ("service", "state", "pid", "restarts", "since"), rows)
    _show_urls(found)
    if found.lag is not None:
        last = time_text(found.last_commit_at) if found.last_commit_at else "never"
        unpublished = f", {found.publish_lag:,} to publish" if found.publish_lag else ""
        sys.stdout.write(f"Lag: {found.lag:,} messages{unpublished}; last commit: {last}\n")
    for problem in found.problems:
        sys.stdout.write(f"Problem: {problem}\n")
    if found.healthy:
        sys.stdout.write("Everything serves.\n")


def _show_storage(storage: Storage) -> None:
    """Print the tables that `traffic status --storage` adds."""
    from humanize import naturalsize

    headers = ("table", "rows (about)", "data", "indexes", "partitions", "oldest", "newest")
    print_table("Tables", headers, map(_storage_row, storage.tables))
    say(f"The database has {naturalsize(storage.database_bytes)} in total.\n")
    largest = [_storage_row(table)[:4] for table in storage.dagster[:_DAGSTER_TABLES]]
    print_table("Dagster's largest tables", headers[:4], largest)
    say(f"Dagster's database has {naturalsize(storage.dagster_bytes)} in total.")
    if archive := storage.archive:
        days = f", days {archive.oldest} to {archive.newest}" if archive.files else ""
        say(
            f"The archive {archive.folder} has {archive.rows:,} messages in {archive.files:,} files"
            f" of {naturalsize(archive.bytes)}{days}."
        )


def _storage_row(table: TableSize) -> tuple[object, ...]:
    from humanize import naturalsize

    return (
        table.name,
        table.rows,
        naturalsize(table.bytes),
        naturalsize(table.index_bytes),
        table.partitions or None,
        table.oldest or "",
        table.newest or "",
    )

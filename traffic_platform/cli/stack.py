"""`traffic up`, `down` and `status`: the local stack."""

from __future__ import annotations

import signal
import sys
import time
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from traffic_platform.demo.sample import Counts
    from traffic_platform.monitoring.table_sizes import Storage
    from traffic_platform.settings import Settings
    from traffic_platform.stack.control import Start
    from traffic_platform.stack.state import StackState
    from traffic_platform.stack.status import Status

Demo = Literal["none", "sample", "live"]


def up(
    *,
    detach: Annotated[bool, typer.Option("--detach", help="Return; the stack goes on.")] = False,
    demo: Annotated[
        Demo,
        typer.Option(help="sample: Portland's hour. live: then also a synthetic feed."),
    ] = "none",
    no_dagster: Annotated[
        bool, typer.Option("--no-dagster", help="Leave Dagster to `dagster dev`.")
    ] = False,
) -> None:
    """Start the local stack: PostgreSQL, Kafka, Dagster, API and dashboard.

    What TRAFFIC_DATABASE_URL or TRAFFIC_KAFKA_BOOTSTRAP_SERVERS name is used and not started. When
    the stack runs already, nothing is started twice. Without --detach it runs until ctrl-C. State,
    data and logs are in TRAFFIC_HOME (default .traffic).

    Example: traffic up --detach --demo sample
    """
    from traffic_platform.settings import load_settings
    from traffic_platform.stack import control
    from traffic_platform.stack.status import read_status

    settings = load_settings()
    settings = settings.model_copy(update={"home": control.folders_of(settings).home})
    # A terminal that closes, or a service manager, means the same as ctrl-C.
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
            late = not _load_demo(settings, start, demo, progress.say)
        if start.process is None:
            progress.say("the stack ran already; `traffic down` ends it")
        found = read_status(settings)
        _show_urls(found)
        if demo != "none" and found.api:
            _show_sample(found.api, settings)
        _say_who_may_look(settings)
    except BaseException:
        # What was started stays only if everything went well, or others had started it.
        start.cancel()
        raise
    if start.process is not None and not detach:
        sys.stdout.write("Ctrl-C ends the stack.\n")
        sys.stdout.flush()
        raise typer.Exit(control.wait_for_end(start.process))
    raise typer.Exit(1 if late else 0)


def down() -> None:
    """End the local stack. Its data stays in TRAFFIC_HOME."""
    from traffic_platform.settings import load_settings
    from traffic_platform.stack import control

    folders = control.folders_of(load_settings())
    ended = control.stop(folders)
    sys.stdout.write("The stack has ended.\n" if ended else "No stack runs.\n")


def status(
    *,
    storage: Annotated[
        bool, typer.Option("--storage", help="Also say how large the tables are.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, with the owner's database URL.")
    ] = False,
) -> None:
    """Say how the local stack is. Exit code 0: everything serves, 1: not.

    With --storage: rows (estimated), sizes and dates of every table, of Dagster's storage and of
    the archive, also where no stack of ours runs.

    Example: traffic status --storage
    """
    from traffic_platform.cli.console import print_json
    from traffic_platform.cli.storage import show_storage
    from traffic_platform.settings import load_settings
    from traffic_platform.stack.status import read_status

    settings = load_settings()
    found = read_status(settings)
    sizes = _read_storage(settings, found) if storage else None
    if as_json:
        print_json(found.as_json() | ({"storage": sizes.as_json()} if sizes else {}))
    else:
        _show_status(found)
        if sizes:
            show_storage(sizes)
    raise typer.Exit(0 if found.healthy else 1)


def _read_storage(settings: Settings, found: Status) -> Storage | None:
    """The sizes; an outage is a problem like others."""
    from traffic_platform.errors import IngestError
    from traffic_platform.monitoring.table_sizes import read_storage
    from traffic_platform.settings import SettingsError

    try:
        return read_storage(settings)
    except (IngestError, SettingsError) as error:
        found.problems.append(f"sizes: {error}")
        return None


class _Progress:
    """One line for each step, with the seconds since the start, on standard error."""

    def __init__(self) -> None:
        self._said: set[str] = set()
        self._started = time.monotonic()

    def say(self, line: str) -> None:
        """Say it, unless it has just been said."""
        if line not in self._said:
            self._said.add(line)
            sys.stderr.write(f"{time.monotonic() - self._started:5.1f} s  {line}\n")

    def stack(self, state: StackState) -> None:
        """Say which services serve by now."""
        for name, service in state.services.items():
            if service.state == "running":
                self.say(f"{name} serves")
            elif service.state == "preparing" and name == "kafka":
                self.say("kafka: checking its jars (the first time: fetching 44 MB)")


def _load_demo(settings: Settings, start: Start, demo: Demo, say: Callable[[str], None]) -> bool:
    """Whether all of it has arrived. What is late does not end a stack that serves."""
    from traffic_platform.cli import describe
    from traffic_platform.demo import sample as data

    # Sent while Dagster is still starting, and stored by its first window.
    start.wait(("schema", "topics"))
    ends = data.send_sample(settings, say)
    state = start.wait()
    try:
        counts = _wait_for_demo(settings, state, ends, demo, say)
    except Exception as error:  # noqa: BLE001, RUF100  (the stack serves, whatever this is)
        say(f"the demo's data has not arrived, and the stack goes on: {describe(error)}")
        return False
    so_far = " so far" if demo == "live" else ""
    sys.stdout.write(
        f"Arrived{so_far}: {counts.raw:,} raw = {counts.processed:,} processed"
        f" + {counts.quarantined:,} quarantined; {counts.readings:,} readings\n"
    )
    return True


def _wait_for_demo(
    settings: Settings,
    state: StackState,
    ends: Mapping[int, int],
    demo: Demo,
    say: Callable[[str], None],
) -> Counts:
    from traffic_platform.demo import sample as data
    from traffic_platform.stack import control

    if state.dagster_url is None:
        data.store_here(settings)
    data.wait_until_stored(settings, ends, say)
    if demo == "live":
        control.request_feed(state)
        say("the synthetic feed starts with its last 24 hours")
        if state.dagster_url is not None:
            data.wait_for_feed(settings, say)
    return data.read_counts(settings)


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
            sys.stdout.write(f"{name + ':':<12}{where}\n")
    sys.stdout.flush()


def _show_sample(page: str, settings: Settings) -> None:
    """Where the recorded hour is to be seen: it is of no day that one would look for."""
    from traffic_platform.demo.sample import sample_date

    day = sample_date(settings.timezone)
    sys.stdout.write(f"{'Recorded:':<12}{page}/day?date={day} (Portland's hour)\n")
    sys.stdout.flush()


def _say_who_may_look(settings: Settings) -> None:
    """Where the API is for others, too, say that they need a key."""
    from traffic_platform.api.security.policy import Policy

    policy = Policy.of(settings)
    if not policy.local_reads:
        sys.stdout.write(f"{policy.describe(settings)}\n")
        sys.stdout.flush()


def _show_status(found: Status) -> None:
    from datetime import UTC, datetime

    from traffic_platform.cli.console import print_table, utc_text

    rows = [
        (name, service.state, str(service.pid or ""), service.restarts,
         utc_text(datetime.fromtimestamp(service.since, UTC)))
        for name, service in found.services.items()
    ]  # fmt: skip
    if rows:
        print_table("", ("service", "state", "pid", "restarts", "since"), rows)
    _show_urls(found)
    if found.lag is not None:
        last = utc_text(found.last_commit_at) if found.last_commit_at else "never"
        unpublished = f", {found.publish_lag:,} to publish" if found.publish_lag else ""
        sys.stdout.write(f"Lag: {found.lag:,} messages{unpublished}; last commit: {last}\n")
    for problem in found.problems:
        sys.stdout.write(f"Problem: {problem}\n")
    if found.healthy:
        sys.stdout.write("Everything serves.\n")

"""Data of `traffic up --demo`: load it, and show where to find it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Literal

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from traffic_platform.settings import Settings
    from traffic_platform.stack.control import Start


def load_demo(
    settings: Settings, start: Start, demo: Literal["sample", "live"], say: Callable[[str], None]
) -> bool:
    """Load the demo's data; return whether all of it has arrived. Late data stops no stack."""
    from traffic_platform.cli import describe
    from traffic_platform.demo import sample as data
    from traffic_platform.stack import control

    # Send the data while Dagster starts. Its first ingest run stores it.
    start.wait(("schema", "topics"))
    ends = data.send_sample(settings, say)
    state = start.wait()
    try:
        if state.dagster_url is None:
            data.store_here(settings)
        data.wait_until_stored(settings, ends, say)
        if demo == "live":
            if "feed" in state.services:
                say("The synthetic feed runs already.")
            else:
                control.request_feed(state)
                say("The synthetic feed starts with its last 24 hours.")
            if state.dagster_url is not None:
                data.wait_for_feed(settings, say)
        counts = data.read_counts(settings)
    except Exception as error:  # noqa: BLE001, RUF100  (the stack serves without the data)
        say(f"The demo's data has not arrived, but the stack serves: {describe(error)}")
        return False
    so_far = " so far" if demo == "live" else ""
    sys.stdout.write(
        f"Arrived{so_far}: {counts.raw:,} raw = {counts.processed:,} processed"
        f" + {counts.quarantined:,} quarantined; {counts.readings:,} readings\n"
    )
    return True


def show_sample(page: str, settings: Settings) -> None:
    """Print the page of the recorded hour, whose date nobody would guess."""
    from traffic_platform.demo.sample import sample_date

    day = sample_date(settings.timezone)
    typer.echo(f"{'Recorded:':<12}{page}/day?date={day} (Portland's hour)")

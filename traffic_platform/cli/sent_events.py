"""Results of the commands that send events: `traffic produce` and `traffic replay`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import typer

from traffic_platform.cli.console import INTERRUPTED, print_json, print_table

if TYPE_CHECKING:
    from traffic_platform.demo.produce import FeedReport
    from traffic_platform.demo.replay import ReplayReport


def show_totals(figures: Mapping[str, object], as_json: bool) -> None:
    """Print the totals by name, as a table or as JSON."""
    if as_json:
        print_json(figures)
    else:
        print_table("", ("sent", ""), ((name.replace("_", " "), v) for name, v in figures.items()))


def check_delivery(report: FeedReport | ReplayReport) -> None:
    """Raise TransientError after failed deliveries, typer.Exit (130) after an interruption."""
    from traffic_platform.errors import TransientError

    if report.failed:
        raise TransientError(
            f"{report.failed} events did not reach Kafka: {report.error}. Run the command again."
        )
    if not report.complete:
        raise typer.Exit(INTERRUPTED)

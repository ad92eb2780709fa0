"""`traffic verify`: prove that no message is lost, stored twice or altered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from traffic_platform.cli.console import counted, load_settings, print_json, progress_bar, say
from traffic_platform.cli.options import Json

if TYPE_CHECKING:
    from traffic_platform.verify import VerifyReport


def verify(
    deep: Annotated[
        bool, typer.Option("--deep", help="Also read Kafka again and decode every message.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Prove that no message is lost, stored twice or altered.

    The command compares Kafka's offsets, the ledger, the audit and the tables, and prints the first
    difference. It works beside a live stream, because it reads one snapshot of the database.
    Messages that are not ingested yet are lag, not a difference. Messages that Kafka dropped before
    they were read are a difference, and are named.

    Exit codes: 0 everything matches, 1 something differs, 2 could not run.

    Example: traffic verify --deep
    """
    from traffic_platform.verify import verify as prove

    with progress_bar(quiet=as_json) as bar:
        task = bar.add_task("Comparing", total=None)
        report = prove(
            load_settings(),
            deep,
            lambda stage, done, total: bar.update(
                task, description=stage, completed=done, total=total
            ),
        )
    if as_json:
        print_json(report.document())
    else:
        _show(report)
    if not report.holds:
        raise typer.Exit(1)


def _show(report: VerifyReport) -> None:
    if report.holds:
        say(f"Everything matches: {_extent(report)}.")
    else:
        say(report.findings[0].sentence)
        others = len(report.findings) - 1
        if others:
            more = "at least " if report.cut else ""
            say(f"And {more}{counted(others, 'more difference')}: --json shows them.")
    if report.acknowledged_losses:
        say(f"Acknowledged losses: {counted(report.acknowledged_losses, 'message')}.")
    for stale in report.stale:
        say(
            f"Stale: {counted(stale.messages, 'message')} of"
            f" {counted(stale.batches, 'batch', 'batches')} ({stale.first_batch_id} to"
            f" {stale.last_batch_id}), decided by rules {stale.rules_version}."
            f" Today's rules are {report.rules_version}, because settings have changed."
            " `traffic backfill` applies them to these dates."
        )
    if report.stale_differing:
        say(
            f"Today's rules would store {counted(report.stale_differing, 'message')} of these"
            " differently. This is not an error: each matches the rules that decided it."
        )
    if line := _by_sums(report):
        say(line)
    if report.waiting_for_replay:
        say(
            f"In quarantine although their sensors are registered:"
            f" {counted(report.waiting_for_replay, 'message')}."
            " `traffic quarantine reprocess --reason unknown_sensor` makes them events."
        )


def _by_sums(report: VerifyReport) -> str:
    """Return a sentence about rows that only sums can prove, empty without any."""

    found = report.by_sums
    parts = [
        f"{counted(rows, 'row')} dropped from {table}" for table, rows in found.dropped.items()
    ]
    if found.folded_batches:
        parts.append(
            f"which of {counted(found.folded_batches, 'batch', 'batches')} compacted into"
            f" {counted(found.folded_into, 'audit row')} a message came with"
        )
    return f"Proved by sums only: {'; '.join(parts)}." if parts else ""


def _extent(report: VerifyReport) -> str:
    parts = [f"{counted(rows, 'row')} in {table}" for table, rows in report.rows.items()]
    if report.deep:
        parts.append(
            f"{counted(report.messages_decoded, 'message')} decoded again,"
            f" {report.messages_in_kafka:,} of them read from Kafka"
        )
    return ", ".join([*parts, f"lag {report.lag:,}", f"{report.seconds:.1f} s"])

"""`traffic sensors`: import and list detectors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from traffic_platform.cli.console import print_json, print_table, say
from traffic_platform.cli.options import Json

if TYPE_CHECKING:
    from traffic_platform.sensors.sensor_import import ImportReport

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Import and list detectors.")

_SHOWN_CHANGES = 20


@app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(help="CSV file, or folder with PORTAL's tables.")],
    *,
    interval: Annotated[
        int | None, typer.Option(min=1, help="Seconds that a reading of these sensors covers.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Import a table of sensors, completely or not at all.

    The CSV file has the header external_id and any of name, road, direction, lanes, milepost,
    length_mi, latitude, longitude, station_id, interval_s, free_flow_mph. Columns that the file
    lacks keep their values. An empty cell clears the value. A sensor that was seen in the stream
    before becomes imported and keeps its UUID. PORTAL's freeway_detectors.csv is read with
    freeway_stations.csv and highways.csv from the same folder; its readings cover 20 seconds.

    Example: traffic sensors import examples/portland_i205
    """
    from traffic_platform.rollups import roll_up_all
    from traffic_platform.sensors.sensor_import import import_sensors
    from traffic_platform.settings import load_settings

    settings = load_settings()
    report = import_sensors(settings, path, interval)
    if report.changed:
        roll_up_all(settings)
    if as_json:
        print_json(_document(report))
    else:
        _show(report)


@app.command("list")
def list_(
    *,
    origin: Annotated[
        Literal["imported", "seen"] | None, typer.Option(help="List only these sensors.")
    ] = None,
    road: Annotated[str | None, typer.Option(help="List only sensors of this road.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of sensors.")] = 1000,
    as_json: Json = False,
) -> None:
    """List sensors by road, direction and milepost, with the time of their newest reading.

    Example: traffic sensors list --origin seen
    """
    from dataclasses import asdict

    from traffic_platform.sensors.sensor_import import list_sensors
    from traffic_platform.settings import load_settings

    sensors = list_sensors(load_settings(), origin=origin, road=road, limit=limit)
    if as_json:
        print_json([asdict(sensor) for sensor in sensors])
        return
    if not sensors:
        say("No sensor matches." if origin or road else "No sensor is registered yet.")
        return
    headers = {
        "external_id": "sensor",
        "name": "name",
        "road": "road",
        "direction": "direction",
        "milepost": "milepost",
        "length_mi": "miles",
        "lanes": "lanes",
        "interval_s": "interval s",
        "origin": "origin",
        "newest_reading": "newest reading",
    }
    rows = [[getattr(sensor, name) for name in headers] for sensor in sensors]
    print_table("", headers.values(), rows)
    if len(sensors) == limit:
        say(f"Only the first {limit} are shown. --limit shows more.")


def _show(report: ImportReport) -> None:
    say(
        f"{len(report.added)} added, {len(report.changed)} changed, "
        f"{len(report.unchanged)} unchanged"
    )
    rows = [
        (change.external_id, column, _shown(old), _shown(new))
        for change in report.changed
        for column, (old, new) in change.columns.items()
    ]
    if rows:
        shown = rows[:_SHOWN_CHANGES]
        print_table("", ("sensor", "column", "old", "new"), shown)
        if len(rows) > len(shown):
            say(f"And {len(rows) - len(shown)} more values: --json shows them.")


def _shown(value: object) -> str:
    return "(none)" if value is None else str(value)


def _document(report: ImportReport) -> dict[str, object]:
    return {
        "added": report.added,
        "changed": [
            {
                "external_id": change.external_id,
                "columns": {
                    name: {"old": old, "new": new} for name, (old, new) in change.columns.items()
                },
            }
            for change in report.changed
        ],
        "unchanged": report.unchanged,
    }

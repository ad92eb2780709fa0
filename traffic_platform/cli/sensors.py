"""`traffic sensors`: import, list and show detectors."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from traffic_platform.cli.console import print_json, print_table, say, utc_text
from traffic_platform.cli.options import Json

if TYPE_CHECKING:
    from traffic_platform.sensors.sensor_import import ImportReport

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Import, list and show detectors."
)

_SHOWN_CHANGES = 20
_T = TypeVar("_T")


@app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(help="CSV file, or folder with PORTAL's tables.")],
    *,
    interval: Annotated[
        str | None, typer.Option(help="Seconds that a reading of these sensors covers.")
    ] = None,
    valid_from: Annotated[
        str | None,
        typer.Option(help="Begin of the values: a date, a time with zone, or 'beginning'."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Import a table of sensors, completely or not at all.

    The CSV file has the header external_id and any of name, road, direction, lanes, milepost,
    length_mi, latitude, longitude, station_id, interval_s, free_flow_mph, rural, retired and
    valid_from. Columns that the file lacks keep their values. An empty cell clears the value. A
    sensor that was seen in the stream before becomes imported and keeps its UUID. PORTAL's
    freeway_detectors.csv is read with freeway_stations.csv and highways.csv from the same folder;
    its readings cover 20 seconds.

    A changed lanes, length_mi, interval_s, free_flow_mph, rural or retired applies from now on, and
    roll-ups of the past keep the old value. A value that was unknown applies to the past too. With
    --valid-from, or a cell in the column valid_from, values apply from then on, until a later
    change of the same value; roll-ups since then are computed again.

    Example: traffic sensors import examples/portland_i205
    """
    from traffic_platform.rollups import roll_up_all
    from traffic_platform.sensors.csv_rows import seconds
    from traffic_platform.sensors.periods import read_begin
    from traffic_platform.sensors.sensor_import import import_sensors
    from traffic_platform.settings import load_settings

    settings = load_settings()
    interval_s = _parse(interval, "--interval", seconds)
    begin = _parse(valid_from, "--valid-from", lambda text: read_begin(text, settings.timezone))
    report = import_sensors(settings, path, interval_s, begin)
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
        "valid_from": "since",
        "origin": "origin",
        "newest_reading": "newest reading",
    }
    rows = [[getattr(sensor, name) for name in headers] for sensor in sensors]
    print_table("", headers.values(), rows)
    if len(sensors) == limit:
        say(f"Only the first {limit} are shown. --limit shows more.")


@app.command("show")
def show(
    sensor: Annotated[str, typer.Argument(help="Identifier in the feed, or UUID.")],
    *,
    as_json: Json = False,
) -> None:
    """Show a sensor, and the periods in which its values apply.

    Example: traffic sensors show det-7
    """
    from dataclasses import asdict

    from traffic_platform.errors import PermanentError
    from traffic_platform.events.sensor_ids import canonical_external_id, is_valid, sensor_uuid
    from traffic_platform.sensors.sensor_import import list_periods, list_sensors
    from traffic_platform.settings import load_settings

    settings = load_settings()
    found = (
        list_sensors(settings, sensor_id=sensor_uuid(canonical_external_id(sensor)))
        if is_valid(sensor)
        else []
    )
    if not found:
        raise PermanentError(
            f"Unknown sensor {sensor!r}. `traffic sensors list` lists the sensors."
        )
    facts = asdict(found[0])
    periods = [asdict(period) for period in list_periods(settings, found[0].sensor_id)]
    if as_json:
        print_json({**facts, "periods": periods})
        return
    print_table("", ("column", "value"), [(name, _fact(value)) for name, value in facts.items()])
    headers = ("valid_from", "interval_s", "length_mi", "lanes", "free_flow_mph", "rural")
    rows = [
        [
            _since(period["valid_from"]),
            *(period[name] for name in headers[1:]),
            period["retired"],
            period["source"],
        ]
        for period in periods
    ]
    names = ("since", "interval s", "miles", "lanes", "free flow mph", "rural", "retired", "source")
    print_table("Periods", names, rows)


def _parse(text: str | None, option: str, convert: Callable[[str], _T]) -> _T | None:
    try:
        return None if text is None else convert(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} {error}", param_hint=option) from None


def _show(report: ImportReport) -> None:
    say(
        f"{len(report.added)} added, {len(report.changed)} changed, "
        f"{len(report.unchanged)} unchanged"
    )
    rows = [
        (change.external_id, column, _shown(old), _shown(new), _begin(change.since.get(column)))
        for change in report.changed
        for column, (old, new) in change.columns.items()
    ]
    if not rows:
        return
    shown = rows[:_SHOWN_CHANGES]
    print_table("", ("sensor", "column", "old", "new", "applies"), shown)
    if len(rows) > len(shown):
        say(f"And {len(rows) - len(shown)} more values: --json shows them.")
    begins = [begin for change in report.changed for begin in change.since.values()]
    if report.at in begins:
        say(
            f"Roll-ups before {utc_text(report.at)} keep the old values. To change these too,"
            " import with --valid-from."
        )
    if any(begin < report.at for begin in begins):
        say("Roll-ups of the past were computed again.")


def _begin(since: datetime | None) -> str:
    from traffic_platform.sensors.periods import BEGINNING

    if since is None:
        return "at any time"
    return "since the beginning" if since == BEGINNING else f"since {utc_text(since)}"


def _since(begin: datetime | None) -> str:
    return "beginning" if begin is None else utc_text(begin)


def _fact(value: object) -> str:
    if isinstance(value, datetime):
        return utc_text(value)
    return "" if value is None else str(value)


def _shown(value: object) -> str:
    return "(none)" if value is None else str(value)


def _document(report: ImportReport) -> dict[str, object]:
    from traffic_platform.sensors.periods import BEGINNING

    return {
        "added": report.added,
        "changed": [
            {
                "external_id": change.external_id,
                "columns": {
                    name: {"old": old, "new": new} for name, (old, new) in change.columns.items()
                },
                "since": {
                    name: None if begin == BEGINNING else begin
                    for name, begin in change.since.items()
                },
            }
            for change in report.changed
        ],
        "unchanged": report.unchanged,
    }

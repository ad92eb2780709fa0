"""`traffic replay` with a real broker, and the ingested result."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import psycopg
import pytest

from traffic_platform.settings import Settings
from traffic_platform_tests.cli.conftest import Traffic

PORTLAND = Path(__file__).parents[2] / "examples/portland_i205"
HOUR = PORTLAND / "freeway_loopdata_OneHour.csv"


def stored_readings(settings: Settings) -> pd.DataFrame:
    """Return sensor, time in Portland, volume, speed, occupancy and flags of every reading."""
    with psycopg.connect(settings.endpoints().read_url) as connection:
        rows = connection.execute(
            """
            select external_id, "timestamp" at time zone 'America/Los_Angeles', volume, speed,
                   occupancy, quality_flags
            from traffic.traffic_readings_detail
            """
        ).fetchall()
    return pd.DataFrame(
        rows, columns=["detectorid", "time", "volume", "speed", "occupancy", "flags"]
    )


def test_a_bad_file_is_one_line_with_its_line_number(traffic: Traffic, tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text("detectorid,starttime,volume\n1,9/15/2011 0:00:00,1\n1,soon,2\n")
    result = traffic("replay", file)
    assert result.code == 1
    assert result.err == f"{file}, line 3: starttime 'soon' is not a time.\n"


@pytest.mark.parametrize("option", [("--column", "flow=q"), ("--timezone", "Portland")])
def test_an_invalid_option_is_rejected(traffic_alone: Traffic, option: tuple[str, str]) -> None:
    result = traffic_alone("replay", HOUR, *option)
    assert result.code == 2
    assert option[1] in result.err


def test_portlands_hour_arrives_with_its_own_flags(
    settings: Settings, traffic: Traffic, make_topic: Callable[..., str]
) -> None:
    make_topic()
    assert traffic("sensors", "import", PORTLAND).code == 0
    sent = traffic("replay", HOUR, "--json")
    assert sent.code == 0, sent.err
    assert sent.json["delivered"] == 12_420
    assert sent.json["nested"] == sent.json["flat"] == 6_210
    assert sent.json["without_measures"] == 13
    assert sent.json["first_timestamp"] == "2011-09-15T07:00:00Z"
    assert sent.json["last_timestamp"] == "2011-09-15T07:59:40Z"
    stored = traffic("ingest", "--once", "--json")
    assert stored.code == 0, stored.err
    assert (stored.json["raw"], stored.json["processed"]) == (12_420, 12_407)
    assert (stored.json["quarantined"], stored.json["inserted"]) == (13, 12_407)

    recorded = pd.read_csv(HOUR, dtype={"detectorid": str})
    recorded["time"] = pd.to_datetime(recorded["starttime"], format="%m/%d/%Y %H:%M:%S")
    both = recorded.merge(
        stored_readings(settings), on=["detectorid", "time"], suffixes=("", "_stored")
    )
    assert len(both) == 12_407
    assert (both["dqflags"] == both["flags"] & 127).all()  # the seven tests of the recording
    assert (
        both["volume"].fillna(-1) * 180 == both["volume_stored"].fillna(-1 / 180) * 1
    ).sum() >= 0
    for name, factor in (("volume", 180), ("speed", 1), ("occupancy", 1)):
        recorded_values = (both[name] * factor).astype(float)
        pd.testing.assert_series_equal(
            recorded_values, both[f"{name}_stored"].astype(float), check_names=False
        )
    seen = traffic("sensors", "list", "--origin", "seen", "--json").json
    assert len(seen) == 17


def test_altered_values_get_their_flags(
    settings: Settings, traffic: Traffic, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    cases = {  # volume in 20 s, speed, occupancy: flags
        "a": ("18", "60", "20", 1),
        "b": ("5", "60", "96", 2),
        "c": ("5", "101", "5", 4),
        "d": ("5", "3", "50", 8),
        "e": ("5", "0", "50", 8 + 16),
        "f": ("0", "60", "0", 32),
        "g": ("0", "", "5", 64),
        "h": ("17", "100", "95", 0),
    }
    rows = [f"{d},9/15/2011 0:00:00,{v},{s},{o}\n" for d, (v, s, o, _) in cases.items()]
    file = tmp_path / "altered.csv"
    file.write_text("detectorid,starttime,volume,speed,occupancy\n" + "".join(rows))
    make_topic()
    assert traffic("replay", file, "--interval", 20).code == 0
    assert traffic("ingest", "--once").code == 0
    stored = stored_readings(settings)
    assert dict(zip(stored["detectorid"], stored["flags"], strict=True)) == {
        detector: flags for detector, (_, _, _, flags) in cases.items()
    }


def test_a_recording_shifted_to_now_ends_now_and_keeps_its_gaps(
    traffic: Traffic, make_topic: Callable[..., str]
) -> None:
    make_topic()
    totals = traffic("replay", HOUR, "--shift-to-now", "--json").json
    first = datetime.fromisoformat(totals["first_timestamp"])
    last = datetime.fromisoformat(totals["last_timestamp"])
    assert (last - first).total_seconds() == 3_580
    assert 0 <= (datetime.now(UTC) - last).total_seconds() < 30


def test_a_speed_spreads_the_records_over_time_without_future_events(
    settings: Settings, traffic: Traffic, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    file = tmp_path / "short.csv"
    rows = "".join(f"a,2011-09-15T07:00:{second:02d}Z,1,60,2\n" for second in range(0, 50, 10))
    file.write_text("detectorid,starttime,volume,speed,occupancy\n" + rows)
    make_topic()
    totals = traffic("replay", file, "--speed", 20, "--shift-to-now", "--json").json
    assert totals["seconds"] >= 2
    assert totals["delivered"] == 5
    ingested = traffic("ingest", "--once", "--json").json
    assert ingested["processed"] == 5

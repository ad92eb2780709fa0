"""Tables of detectors: PORTAL's, the platform's own, and broken ones."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from traffic_platform.events.sensor_ids import sensor_uuid
from traffic_platform.sensors.csv_formats import SensorRecord, read_sensor_tables
from traffic_platform.sensors.csv_rows import TableError

PORTLAND = Path(__file__).parents[2] / "examples/portland_i205"


@pytest.fixture
def portal(tmp_path: Path) -> Path:
    """A copy of PORTAL's tables that a test may break."""
    return shutil.copytree(PORTLAND, tmp_path / "portal")


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def read(folder: Path, text: str, interval_s: int | None = None) -> list[SensorRecord]:
    file = folder / "sensors.csv"
    file.write_text(text)
    return read_sensor_tables(file, None if interval_s is None else Decimal(interval_s))


@pytest.mark.parametrize(
    ("file", "old", "new", "error"),
    [
        (
            "freeway_detectors.csv",
            "1346,3",
            "1345,3",
            "line 3, column detectorid: '1345' repeats line 2",
        ),
        ("freeway_detectors.csv", "1346,3", ",3", "line 3, column detectorid: is empty"),
        ("freeway_detectors.csv", "1,2,1045", "1,2,99", "line 3, column stationid: '99' is not in"),
        ("freeway_detectors.csv", "1346,3", "1346,9", "line 3, column highwayid: '9' is not in"),
        (
            "freeway_detectors.csv",
            "1346,3,14.32",
            "1346,3,x",
            "line 3, column milepost: 'x' is not",
        ),
        ("freeway_detectors.csv", "1346,3,14.32", "1346,3", "line 3: 6 cells"),
        (
            "freeway_detectors.csv",
            "highwayid",
            "highway",
            "line 1: the column highwayid is missing",
        ),
        (
            "freeway_stations.csv",
            "1046,3",
            "1045,3",
            "line 3, column stationid: '1045' repeats line 2",
        ),
        ("freeway_stations.csv", ",1.89", ",0", "line 3, column length: '0' is not above 0"),
        (
            "freeway_stations.csv",
            "45.45322,",
            "95.4,",
            "line 3, column latlon: .* is not a latitude",
        ),
        ("freeway_stations.csv", "45.45322,", "45.4", "line 3, column latlon: .* is not a pair"),
        ("freeway_stations.csv", '"45.45322,', "45.45322,", "line 3"),
        ("highways.csv", "highwayname", "name", "line 1: the column highwayname is missing"),
    ],
)
def test_an_invalid_portal_table_is_rejected_with_line_and_column(
    portal: Path, file: str, old: str, new: str, error: str
) -> None:
    change(portal / file, old, new)
    with pytest.raises(TableError, match=f"{file}, {error}"):
        read_sensor_tables(portal)


@pytest.mark.parametrize("missing", ["freeway_stations.csv", "highways.csv"])
def test_portal_detectors_need_the_tables_of_stations_and_highways(
    portal: Path, missing: str
) -> None:
    (portal / missing).unlink()
    with pytest.raises(TableError, match=f"{missing} is missing"):
        read_sensor_tables(portal / "freeway_detectors.csv")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "has no row for a sensor"),
        ("external_id,name\n", "has no row for a sensor"),
        ("name\nx\n", "line 1: the column external_id"),
        ("external_id,colour\na,red\n", "line 1: unknown column 'colour'"),
        ("external_id,name,name\na,b,c\n", "line 1: column name appears twice"),
        ("external_id\na\n\na\n", "line 4, column external_id: 'a' repeats line 2"),
        ("external_id,name\n,x\n", "line 2, column external_id: is empty"),
        (f"external_id\n{'x' * 256}\n", "line 2, column external_id: .* 1 to 255"),
        ("external_id,lanes\na,two\n", "line 2, column lanes: 'two' is not a number"),
        ("external_id,lanes\na,1.5\n", "line 2, column lanes: '1.5' is not a whole number"),
        ("external_id,lanes\na,0\n", "line 2, column lanes: '0' is not a whole number"),
        ("external_id,lanes\na,40000\n", "line 2, column lanes"),
        ("external_id,interval_s\na,3000000000\n", "line 2, column interval_s"),
        ("external_id,milepost\na,nan\n", "line 2, column milepost: 'nan' is not a number"),
        ("external_id,length_mi\na,-1\n", "line 2, column length_mi: '-1' is not above 0"),
        ("external_id,longitude\na,181\n", "line 2, column longitude: '181' is not a longitude"),
        ("external_id,free_flow_mph\na,0\n", "line 2, column free_flow_mph: '0' is not above 0"),
        ("external_id,rural\na,maybe\n", "line 2, column rural: 'maybe' is neither true nor"),
        ('external_id,name\na,"b\n', "line 2: unexpected end of data"),
        (
            "external_id,sensor_id\na,6f7d4f0e-3d0b-5f0c-9a39-6c2d6b1f5a11\n",
            "line 2, column sensor_id: .* differs from the UUID of external_id 'a'",
        ),
    ],
)
def test_an_invalid_table_is_rejected_with_line_and_column(
    tmp_path: Path, text: str, error: str
) -> None:
    with pytest.raises(TableError, match=error):
        read(tmp_path, text)


def test_portal_detectors_are_joined_with_stations_and_highways() -> None:
    records = read_sensor_tables(PORTLAND)
    assert len(records) == 52
    first = records[0]
    assert first.external_id == "1345"
    assert first.sensor_id == sensor_uuid("1345")
    assert first.values == {
        "name": "Sunnyside NB",
        "road": "I-205",
        "direction": "NORTH",
        "lanes": 1,
        "milepost": 14.32,
        "length_mi": 0.94,
        "latitude": 45.43324,
        "longitude": -122.565775,
        "station_id": "1045",
        "interval_s": 20,
    }
    assert records == read_sensor_tables(PORTLAND / "freeway_detectors.csv")


def test_the_column_rural_accepts_true_yes_and_1(tmp_path: Path) -> None:
    words = ("true", "Yes", "1", "FALSE", "no", "0", "")
    lines = "".join(f"{number},{word}\n" for number, word in enumerate(words))
    records = read(tmp_path, f"external_id,rural\n{lines}")
    rural = [record.values["rural"] for record in records]
    assert rural == [True, True, True, False, False, False, None]


def test_a_record_holds_only_the_columns_of_the_file(tmp_path: Path) -> None:
    (record,) = read(tmp_path, "\ufeffexternal_id,lanes,name\r\n\r\n a , 3 ,\r\n")
    assert record.values == {"lanes": 3, "name": None}


def test_the_interval_argument_fills_a_missing_column(tmp_path: Path) -> None:
    (record,) = read(tmp_path, "external_id\na\n", interval_s=60)
    assert record.values == {"interval_s": 60}
    (record,) = read(tmp_path, "external_id,interval_s\na,30\n", interval_s=60)
    assert record.values == {"interval_s": 30}


def test_a_sensor_id_that_equals_the_mapping_is_accepted(tmp_path: Path) -> None:
    identity = str(sensor_uuid("a")).upper()
    (record,) = read(tmp_path, f"external_id,sensor_id\na,{identity}\n")
    assert record.sensor_id == sensor_uuid("a")


def test_two_spellings_of_one_uuid_are_a_repeat(tmp_path: Path) -> None:
    name = "6F7D4F0E-3D0B-5F0C-9A39-6C2D6B1F5A11"
    with pytest.raises(TableError, match="repeats line 2"):
        read(tmp_path, f"external_id\n{name}\n{name.lower()}\n")


def test_the_only_csv_file_of_a_folder_is_read(tmp_path: Path) -> None:
    read(tmp_path, "external_id\na\n")
    assert len(read_sensor_tables(tmp_path)) == 1
    (tmp_path / "other.csv").write_text("external_id\nb\n")
    with pytest.raises(TableError, match=r"2 CSV files .* Name one file"):
        read_sensor_tables(tmp_path)


def test_a_missing_file_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="does not exist"):
        read_sensor_tables(tmp_path / "none")

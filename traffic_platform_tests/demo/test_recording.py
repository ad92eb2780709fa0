"""Recorded files: values, and errors of files that cannot be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from traffic_platform.demo.recording import Recording, read_recording
from traffic_platform.sensors.csv_rows import TableError

PORTLAND = Path(__file__).parents[2] / "examples/portland_i205/freeway_loopdata_OneHour.csv"
HEADER = "detectorid,starttime,volume,speed,occupancy\n"
ROW = "1345,9/15/2011 0:00:20,2,55.5,3\n"


def read(folder: Path, text: str | bytes, **options: object) -> Recording:
    file = folder / "recorded.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_recording(file, **options)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "contains no records"),
        (HEADER, "contains no records"),
        (HEADER + "\n \n", "contains no records"),
        (HEADER + "1345,9/15/2011 0:00:20,2\n", "line 2: 3 cells, but the header has 5"),
        (HEADER + ROW + "\n1345,9/15/2011 0:0", "line 4: 2 cells, but the header has 5"),
        (HEADER + "1345,9/15/2011 0:00:20,2,5,5,3\n", "line 2: 6 cells"),
        (HEADER + ROW + "\n1345,9/15/2011 0:00:40,2,x,3\n", "line 4: speed 'x' is not a number"),
        (HEADER + "1345,9/15/2011 0:00:20,inf,5,3\n", "line 2: volume 'inf' is not a number"),
        (HEADER + "1345,9/15/2011 0:00:20,nan,5,3\n", "line 2: volume 'nan' is not a number"),
        (HEADER + ROW + ",9/15/2011 0:00:40,2,5,3\n", "line 3: detectorid is empty"),
        (HEADER + ROW + "1345,9/35/2011 0:00:40,2,5,3\n", "line 3: starttime '9/35/2011 0:00:40'"),
        (HEADER + ROW + "1345,2011-09-15T00:01:00Z,2,5,3\n", "line 3: starttime .* has an offset"),
        (HEADER + "1345,11/6/2011 1:30:00,2,5,3\n", "line 2: .* occurs twice or never"),
        (HEADER + "1345,3/13/2011 2:30:00,2,5,3\n", "line 2: .* occurs twice or never"),
        (HEADER + ROW, "Set it with --interval"),
        ("a,starttime,volume\n1,2,3\n", "line 1: no column detectorid or sensor_id"),
        ("detectorid,starttime,q\n1,2,3\n", "line 1: no column volume, speed or occupancy"),
        ("sensor_id,timestamp,volume\n1,2011-09-15 00:00:00,3\n", "line 2: .*--timezone"),
        ("detectorid,detectorid\n1,2\n", "line 1: column detectorid appears twice"),
        (b"\xff\xfe\x00", "is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_line(
    tmp_path: Path, text: str | bytes, complaint: str
) -> None:
    with pytest.raises(TableError, match=complaint) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="No such file"):
        read_recording(tmp_path / "none.csv")
    with pytest.raises(TableError, match="Is a directory"):
        read_recording(tmp_path)


def test_portlands_hour_is_read_as_recorded() -> None:
    hour = read_recording(PORTLAND)
    assert len(hour) == 12_420
    assert len(set(hour.sensors)) == 69
    assert hour.interval_s == 20
    assert int(hour.times_us[0]) == 1_316_070_000_000_000  # 2011-09-15T07:00:00Z
    assert int(hour.times_us[-1]) == 1_316_073_580_000_000  # 07:59:40Z
    assert (np.diff(hour.times_us) >= 0).all()
    measures = np.vstack([hour.volume, hour.speed, hour.occupancy])
    assert int(np.isnan(measures).all(axis=0).sum()) == 13
    assert np.nanmax(hour.volume) == 9 * 180


def test_an_empty_cell_is_null_and_blank_lines_and_spaces_are_ignored(tmp_path: Path) -> None:
    hour = read(tmp_path, "\ufeff" + HEADER + "\r\n 7 , 9/15/2011 0:00:20 ,1,,2\r\n", interval_s=30)
    assert hour.sensors == ["7"]
    assert hour.volume.tolist() == [120]
    assert np.isnan(hour.speed[0])


def test_times_with_an_offset_need_no_zone(tmp_path: Path) -> None:
    text = "sensor_id,timestamp,volume\na,2011-11-06T01:30:00-07:00,1\na,2011-11-06T01:30:00-08,1\n"
    hour = read(tmp_path, text)
    assert hour.interval_s == 3600
    assert hour.times_us.tolist() == [1_320_568_200_000_000, 1_320_571_800_000_000]


def test_times_without_an_offset_are_in_the_named_zone(tmp_path: Path) -> None:
    text = "sensor_id,timestamp,volume\na,2025-07-01 12:00,60\n"
    hour = read(tmp_path, text, timezone="Europe/Berlin", volume_unit="rate")
    assert hour.times_us.tolist() == [1_751_364_000_000_000]  # 10:00 UTC
    assert hour.volume.tolist() == [60]


def test_other_headers_can_be_named(tmp_path: Path) -> None:
    text = "id,t,q\nx,2025-07-01T12:00:00Z,60\n"
    headers = {"sensor": "id", "time": "t", "volume": "q"}
    assert read(tmp_path, text, headers=headers, interval_s=60).volume.tolist() == [3600]
    with pytest.raises(TableError, match="no column p for the volume"):
        read(tmp_path, text, headers=headers | {"volume": "p"})


def test_negative_measures_are_read_and_left_to_ingest(tmp_path: Path) -> None:
    row = "1,9/15/2011 0:00:20,-1,5,3\n"
    assert read(tmp_path, HEADER + row, interval_s=20).volume.tolist() == [-180]

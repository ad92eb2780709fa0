"""Quality tests of a reading, and the score they give.

Source of the tests: Texas Transportation Institute, "Quality control procedures for archived
operations traffic data" (2007), for one detector in one lane. They reproduce the 12,420 `dqflags`
of PORTAL's hour in `examples/portland_i205`. Null measures are NaN; a test does not apply when a
measure that it names is null.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.int16]

VOLUME_HIGH = 1
OCCUPANCY_HIGH = 2
SPEED_HIGH = 4
SPEED_LOW = 8
VOLUME_WITHOUT_SPEED = 16
SPEED_WITHOUT_VOLUME = 32
OCCUPANCY_WITHOUT_VOLUME = 64

MAX_VOLUME = 3060.0
"""Vehicles per hour in one lane: 17 in 20 seconds."""
MAX_OCCUPANCY = 95.0
"""Percent."""
MAX_SPEED = 100.0
"""Miles per hour."""
MIN_SPEED = 5.0
"""Miles per hour."""


def flags(speed: Floats, volume: Floats, occupancy: Floats) -> Flags:
    """Failed tests as bits. Arrays of one length; speed mph, volume vehicles/h, occupancy %."""
    failed = np.zeros(len(speed), dtype=np.int16)
    # Comparisons with NaN are false: a test with a null measure does not fail.
    failed |= np.where(volume > MAX_VOLUME, VOLUME_HIGH, 0).astype(np.int16)
    failed |= np.where(occupancy > MAX_OCCUPANCY, OCCUPANCY_HIGH, 0).astype(np.int16)
    failed |= np.where(speed > MAX_SPEED, SPEED_HIGH, 0).astype(np.int16)
    failed |= np.where(speed < MIN_SPEED, SPEED_LOW, 0).astype(np.int16)
    stopped = (speed == 0) & (volume > 0)
    failed |= np.where(stopped, VOLUME_WITHOUT_SPEED, 0).astype(np.int16)
    failed |= np.where((speed > 0) & (volume == 0), SPEED_WITHOUT_VOLUME, 0).astype(np.int16)
    covered = (occupancy > 0) & (volume == 0)
    failed |= np.where(covered, OCCUPANCY_WITHOUT_VOLUME, 0).astype(np.int16)
    return failed


def score(
    speed: Floats, volume: Floats, occupancy: Floats, failed: Flags, reported: Floats
) -> Floats:
    """Tests passed / tests that apply, 2 decimals; never above `reported` (NaN: none reported).

    An empty road scores 1 although its speed of 0 fails the test for low speed.
    """
    has_speed, has_volume, has_occupancy = (
        (~np.isnan(measure)).astype(np.int16) for measure in (speed, volume, occupancy)
    )
    applying = (
        has_volume + has_occupancy + 2 * has_speed
        + 2 * has_speed * has_volume + has_occupancy * has_volume
    )  # fmt: skip
    failures = np.bitwise_count(failed.view(np.uint16)).astype(np.int16)
    share = (applying - failures) / np.maximum(applying, 1)
    own = np.where(empty_road(speed, volume, occupancy), 1.0, np.round(share, 2))
    return np.fmin(own, reported)


def empty_road(speed: Floats, volume: Floats, occupancy: Floats) -> npt.NDArray[np.bool_]:
    """Whether every measure that is present is zero (and one is)."""
    present = ~(np.isnan(speed) & np.isnan(volume) & np.isnan(occupancy))
    zero = (np.nan_to_num(speed) == 0) & (np.nan_to_num(volume) == 0)
    return present & zero & (np.nan_to_num(occupancy) == 0)


def good(speed: Floats, volume: Floats, occupancy: Floats, failed: Flags) -> npt.NDArray[np.bool_]:
    """Whether a reading is good: no test failed, or only low speed on an empty road."""
    quiet = (failed == SPEED_LOW) & empty_road(speed, volume, occupancy)
    return (failed == 0) | quiet

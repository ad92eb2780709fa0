"""Synthetic detectors along the simulated highway, and their measures.

A value depends only on the feed's name and size, the detector and the interval. An interval that is
generated again has the same values.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from traffic_platform.demo.highway import (
    DIRECTIONS,
    LANE,
    SPACING_MI,
    STATIONS,
    STEP_SECONDS,
    STEPS_PER_DAY,
    Floats,
    simulate_day,
)

LANES = 3
DETECTORS_PER_ROAD = STATIONS * len(DIRECTIONS) * LANES
_PER_STATION = LANES * len(DIRECTIONS)
# Average field length in feet: the length of a vehicle plus that of the loop. Occupancy is density
# times this length (Minnesota DOT, Data Tools, "Density": occupancy x 5280 / field length).
_FIELD_LENGTH_FT = 22.0
_FEET_PER_MILE = 5280.0
# By lane from the left. The left lane carries more vehicles, and they are faster.
_LANE_FLOW = np.array([1.05, 1.02, 0.93])
_LANE_SPEED_MPH = np.array([3.0, 0.0, -3.0])
_BLOCK_VALUES = 65_536  # number of random values that are drawn at once
_ROAD_DELAY_STEPS = 45  # each further road has its rush hours a quarter of an hour later

Steps = NDArray[np.int64]

# A weekday and a weekend day of a few feeds.
_simulated_day = lru_cache(maxsize=8)(simulate_day)


@dataclass(frozen=True)
class Detector:
    """One loop in one lane of a synthetic road."""

    external_id: str
    name: str
    road: str
    direction: str
    milepost: float
    length_mi: float
    station_id: str


@dataclass(frozen=True)
class Measures:
    """Measures of each detector in each interval; shape (intervals, detectors).

    Speed in mph (NaN where no vehicle passed), volume in vehicles per hour, occupancy in percent.
    """

    speed: Floats
    volume: Floats
    occupancy: Floats


class Corridor:
    """`sensors` detectors, sixty per road, each with measures over `interval_s` seconds.

    Interval n begins n times `period_us` microseconds after 1970-01-01T00:00:00Z. When the period
    differs from the interval, the detectors report more or less often than they measure. Rush
    hours are in the local time of `timezone`.
    """

    def __init__(
        self,
        name: str,
        sensors: int,
        *,
        interval_s: float = STEP_SECONDS,
        period_us: int | None = None,
        timezone: str = "UTC",
    ) -> None:
        self.detectors = tuple(_detector(name, number) for number in range(sensors))
        self.interval_s = interval_s
        self.period_us = period_us or round(interval_s * 1_000_000)
        self._seed = zlib.crc32(name.encode())
        self._zone = ZoneInfo(timezone)
        number = np.arange(sensors)
        self._lane = number % LANES
        self._direction = number // LANES % len(DIRECTIONS)
        self._station = number // _PER_STATION % STATIONS
        self._delay = number // DETECTORS_PER_ROAD * _ROAD_DELAY_STEPS
        self._block_steps = max(1, _BLOCK_VALUES // sensors)
        self._last_block: tuple[int, Floats] | None = None

    def step_at_or_after(self, time_us: int) -> int:
        """Return the number of the first interval at or after a time (microseconds since 1970)."""
        return -(-time_us // self.period_us)

    def measures(self, first: int, count: int) -> Measures:
        """Return the measures of `count` intervals from number `first`."""
        density = self._density(first, count)
        noise = self._noise(first, count)
        return _measure(density, self._lane, noise, self.interval_s)

    def _density(self, first: int, count: int) -> Floats:
        weekend, second = self._local_times(first, count)
        density = np.empty((count, len(self.detectors)))
        for rows, weekday in ((~weekend, True), (weekend, False)):
            if rows.any():
                step = second[rows, None] // STEP_SECONDS - self._delay
                profile = _simulated_day(weekday=weekday, seed=self._seed)
                density[rows] = profile[step % STEPS_PER_DAY, self._direction, self._station]
        return density

    def _local_times(self, first: int, count: int) -> tuple[NDArray[np.bool_], Steps]:
        """Return, for each interval, whether it is on a weekend and its local second of the day."""
        utc = (np.arange(first, first + count) * self.period_us) // 1_000_000
        offsets = [
            round(local.utcoffset().total_seconds())  # pyright: ignore[reportOptionalMemberAccess]
            for local in (
                datetime.fromtimestamp(t, UTC).astimezone(self._zone) for t in utc.tolist()
            )
        ]
        local = utc + np.array(offsets, dtype=np.int64)
        weekend = (local // 86_400 + 3) % 7 >= 5  # 1970-01-01 was a Thursday
        return weekend, local % 86_400

    def _noise(self, first: int, count: int) -> Floats:
        """Return standard normal noise, shape (3, count, detectors), equal for equal intervals."""
        parts: list[Floats] = []
        step = first
        while step < first + count:
            number, within = divmod(step, self._block_steps)
            take = min(self._block_steps - within, first + count - step)
            parts.append(self._noise_block(number)[:, within : within + take])
            step += take
        return np.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]

    def _noise_block(self, number: int) -> Floats:
        if self._last_block is None or self._last_block[0] != number:
            generator = np.random.default_rng([self._seed, number])
            shape = (3, self._block_steps, len(self.detectors))
            self._last_block = (number, generator.standard_normal(shape))
        return self._last_block[1]


def _measure(
    density: Floats, lane: NDArray[np.int64], noise: Floats, interval_s: float
) -> Measures:
    """Return the measures that detectors in lanes of this density would report."""
    typical = LANE.speed(density)
    expected = density * typical * _LANE_FLOW[lane] * interval_s / 3600
    # Vehicles arrive at random on an empty road, and evenly spaced on a full one.
    spread = np.sqrt(expected * (1 - 0.75 * np.minimum(1, density / LANE.critical_density)))
    vehicles = np.maximum(0, np.rint(expected + spread * noise[0]))
    # The mean of few vehicles varies more. In a queue all drivers go alike.
    scatter = np.minimum(1 + 5 / np.sqrt(np.maximum(vehicles, 1)), 0.15 * typical)
    speed = np.maximum(2.0, typical + _LANE_SPEED_MPH[lane] * (typical / 65) + scatter * noise[1])
    volume = vehicles * 3600 / interval_s
    occupied = 100 * volume / speed * _FIELD_LENGTH_FT / _FEET_PER_MILE * (1 + 0.06 * noise[2])
    return Measures(
        speed=np.where(vehicles > 0, np.round(speed, 1), np.nan),
        volume=np.rint(volume),
        occupancy=np.round(np.clip(occupied, 0, 100), 1),
    )


def _detector(feed: str, number: int) -> Detector:
    """Return detector `number`. It does not depend on how many there are: lanes fill a station."""
    road, on_road = divmod(number, DETECTORS_PER_ROAD)
    station, within = divmod(on_road, _PER_STATION)
    direction = DIRECTIONS[within // LANES]
    lane = within % LANES + 1
    milepost = SPACING_MI * (station + 0.5)
    code = f"{feed}-{road + 1}{direction}{station:02d}"
    return Detector(
        external_id=f"synthetic-{code}-{lane}",
        name=f"Synthetic station {station}, {direction}B, lane {lane}",
        road=f"Synthetic {feed} {road + 1}",
        direction={"N": "NORTH", "S": "SOUTH"}[direction],
        milepost=milepost,
        length_mi=SPACING_MI,
        station_id=f"synthetic-{code}",
    )

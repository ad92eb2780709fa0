"""A day of traffic on five miles of a synthetic highway: density by time, direction and station.

The cell transmission model (C. F. Daganzo, "The cell transmission model: a dynamic representation
of highway traffic consistent with the hydrodynamic theory", Transportation Research Part B 28,
1994) moves vehicles through half-mile cells under a triangular flow-density relation (G. F.
Newell, Transportation Research Part B 27, 1993). The model conserves vehicles, so queues grow
upstream of a bottleneck and their waves travel backwards, as on a real road. Densities are vehicles
per mile, flows are vehicles per hour, both of one lane.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEP_SECONDS = 20
STEPS_PER_DAY = 24 * 3600 // STEP_SECONDS
STATIONS = 10
# A vehicle at 65 mph needs 27.7 s for a cell, which is more than a step. So the scheme is stable.
SPACING_MI = 0.5
DIRECTIONS = ("N", "S")

_APPROACH_CELLS = 16  # space for queues upstream of the first station
_EXIT_CELLS = 2
_BOTTLENECK_CELL = _APPROACH_CELLS + 7  # in the direction of travel; three stations follow
# A queue discharges less than the bottleneck carried before the breakdown (Hall and
# Agyemang-Duah, Transportation Research Record 1320, 1991: about 6 %).
_CAPACITY_DROP = 0.94
# By direction: hour of each peak, its half width in hours, its vehicles per hour and lane.
_COMMUTE = {
    "N": ((7.6, 1.0, 1_680.0), (17.2, 1.2, 480.0)),
    "S": ((7.8, 1.1, 620.0), (17.0, 1.2, 1_420.0)),
}


@dataclass(frozen=True)
class FlowDensity:
    """The triangular flow-density relation of one lane."""

    free_flow_mph: float = 65.0
    capacity: float = 2_100.0
    wave_mph: float = 12.0

    @property
    def critical_density(self) -> float:
        """Density at capacity."""
        return self.capacity / self.free_flow_mph

    @property
    def jam_density(self) -> float:
        """Density at which traffic stands still."""
        return self.critical_density + self.capacity / self.wave_mph

    def speed(self, density: Floats) -> Floats:
        """Return the speed in mph at a density."""
        queued = self.wave_mph * (self.jam_density / np.maximum(density, 1e-9) - 1)
        return np.clip(queued, 0, self.free_flow_mph)

    def sending(self, density: Floats) -> Floats:
        """Return the largest flow that a cell can send downstream."""
        return np.minimum(self.free_flow_mph * density, self.capacity)

    def receiving(self, density: Floats) -> Floats:
        """Return the largest flow that a cell can receive from upstream."""
        return np.minimum(self.capacity, self.wave_mph * (self.jam_density - density))


LANE = FlowDensity()


def simulate_day(*, weekday: bool, seed: int) -> Floats:
    """Return the density of a day, shape (STEPS_PER_DAY, 2 directions, STATIONS).

    Stations are in the order of mileposts. Each step of STEP_SECONDS counts from local midnight.
    Equal arguments give equal days.
    """
    generator = np.random.default_rng([seed, int(weekday)])
    demand = _demand(weekday) * (1 + 0.04 * _wandering(generator))
    carried = 1_640.0 * (1 + 0.07 * _wandering(generator))
    cells = _APPROACH_CELLS + STATIONS + _EXIT_CELLS
    density = np.repeat(demand[0][:, None] / LANE.free_flow_mph, cells, axis=1)
    waiting = np.zeros(2)
    day = np.empty((STEPS_PER_DAY, 2, STATIONS))
    for step in range(STEPS_PER_DAY):
        day[step] = density[:, _APPROACH_CELLS:-_EXIT_CELLS]
        density, waiting = _advance(density, waiting, demand[step], carried[step])
    day[:, 1] = day[:, 1, ::-1]  # southbound traffic meets the highest milepost first
    return day


def _advance(
    density: Floats, waiting: Floats, demand: Floats, carried: Floats
) -> tuple[Floats, Floats]:
    """Take one step: flows between cells, then densities. Vehicles may wait at the entrance."""
    hours = STEP_SECONDS / 3600
    sending = LANE.sending(density)
    receiving = LANE.receiving(density)
    queued = density[:, _BOTTLENECK_CELL] > LANE.critical_density
    limit = np.where(queued, carried * _CAPACITY_DROP, carried)
    sending[:, _BOTTLENECK_CELL] = np.minimum(sending[:, _BOTTLENECK_CELL], limit)
    entering = np.minimum(demand + waiting / hours, receiving[:, 0])
    between = np.minimum(sending[:, :-1], receiving[:, 1:])
    inflow = np.concatenate([entering[:, None], between], axis=1)
    outflow = np.concatenate([between, sending[:, -1:]], axis=1)
    left_over = np.maximum(0, waiting + (demand - entering) * hours)
    return density + hours / SPACING_MI * (inflow - outflow), left_over


def _demand(weekday: bool) -> Floats:
    """Return the demand in vehicles per hour and lane, shape (STEPS_PER_DAY, 2)."""
    hour = np.arange(STEPS_PER_DAY) * STEP_SECONDS / 3600
    demand = np.empty((STEPS_PER_DAY, 2))
    for column, direction in enumerate(DIRECTIONS):
        day = 90 + (620 if weekday else 820) * np.exp(-(((hour - 13.5) / 5.0) ** 2))
        if weekday:
            for peak, width, height in _COMMUTE[direction]:
                day = day + height * np.exp(-(((hour - peak) / width) ** 2))
        demand[:, column] = day
    return demand


def _wandering(generator: np.random.Generator) -> Floats:
    """Return noise that changes over minutes (autoregressive, variance 1; STEPS_PER_DAY x 2)."""
    keep = np.exp(-STEP_SECONDS / 240)
    shocks = generator.standard_normal((STEPS_PER_DAY, 2)) * np.sqrt(1 - keep**2)
    noise = np.empty_like(shocks)
    state = np.zeros(2)
    for step, shock in enumerate(shocks):
        state = keep * state + shock
        noise[step] = state
    return noise

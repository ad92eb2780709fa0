"""Roll-ups: readings by 5 minutes, hours and local days (docs/roll-ups.md has the formulas).

    roll_up           computes dirty buckets again
    recompute         computes whole dates again
    beside_ingest     rolls up in a thread beside an ingest run
    rollup_tables     the three tables, and the numbers of changed rows
    rollup_lock       one roll-up at a time, each on one snapshot
    infer_intervals   infers missing intervals and free-flow speeds

Every transaction that changes readings appends the changed (sensor, 5 minutes) pairs to
traffic.dirty_buckets (sql/event_tables/append_dirty_buckets.sql).
"""

from traffic_platform.rollups.beside_ingest import BackgroundRollups, roll_up_all
from traffic_platform.rollups.infer_intervals import infer
from traffic_platform.rollups.recompute import recompute
from traffic_platform.rollups.roll_up import roll_up
from traffic_platform.rollups.rollup_tables import TABLES, Changes, RollupResult

__all__ = [
    "TABLES",
    "BackgroundRollups",
    "Changes",
    "RollupResult",
    "infer",
    "recompute",
    "roll_up",
    "roll_up_all",
]

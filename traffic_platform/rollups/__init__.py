"""Roll-ups: readings by 5 minutes, hours and local days (docs/roll-ups.md has the formulas).

    tables      the three tables, what a fold did to them, and their fold
    exclusive   one fold at a time, each on one snapshot
    fold        computes again what is dirty
    recompute   computes whole dates again
    infer       intervals and free-flow speeds that no list tells
    live        folds beside a window, in a thread of its own

Whoever changes readings appends the changed (sensor, 5 minutes) pairs to traffic.dirty_buckets in
the same transaction (sql/derived/append_dirty.sql).
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

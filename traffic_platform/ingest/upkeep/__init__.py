"""Keeping the tables small and ready: partitions ahead, folded accounting, what is old dropped.

run         all of it, in the order in which it must happen
ahead       partitions for the days and months to come
fold        audit rows of closed hours into one
retention   which partitions are too old, and their end
counts      what the rows of a partition are to the accounting
archive     a day of raw as Parquet, written before it goes, and read back
sizes       how large everything is
"""

from traffic_platform.ingest.upkeep.run import UpkeepReport, keep_tables

__all__ = ["UpkeepReport", "keep_tables"]

"""Keeping the tables small and ready: partitions ahead, folded accounting, what is old dropped.

All of it runs beside live windows, and may be killed anywhere and called again.

    due         whether there is anything to do
    run         all of it, in the order in which it must happen
    ahead       partitions for the days and months to come
    fold        audit rows of closed hours into one
    retention   which partitions are too old
    counts      what the rows of a partition are to the accounting
    drop        the transaction in which a partition goes
    order       the index that months of readings get when they are over
    patience    trying again what other sessions keep us from
    partition   days and months of the three tables
"""

from traffic_platform.maintenance.maintain import MaintenanceReport, maintain_tables

__all__ = ["MaintenanceReport", "maintain_tables"]

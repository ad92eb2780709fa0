"""Maintenance of the tables: partitions ahead, compaction of the audit, retention, indexes.

    work_due                finds due work without reading the tables
    maintain                does all of it, in the required order
    partitions_ahead        partitions for the coming days and months
    compact_audit           merges audit rows of closed hours
    index_closed_months     the index of months of readings that are over

Maintenance runs beside ingest. It may be killed at any point and started again.
"""

from traffic_platform.maintenance.maintain import MaintenanceReport, maintain_tables

__all__ = ["MaintenanceReport", "maintain_tables"]

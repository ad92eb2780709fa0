"""Retention: expired partitions are counted, archived and dropped.

expired_partitions   decides which partitions to drop, and drops them
partition_counts     counts a partition's rows for the accounting
drop_partition       the transaction that drops a partition
"""

"""What the asset checks evaluate: functions over a connection that return an outcome.

Knows PostgreSQL and the tables, not Dagster. `checks.CHECKS` lists them all.
"""

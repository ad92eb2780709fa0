"""The asset checks: functions of a CheckContext that return an Outcome.

They know PostgreSQL and the tables, not Dagster. The decorator `check.check` makes a function a
check, and `checks.CHECKS` holds all of them. `alerts` turns findings into messages to a webhook.
"""

"""Dagster's side of the platform: assets, checks, jobs, sensors, schedules and storage.

Thin on purpose: what a run or a check does lives in ingest and quality; here it is named, asked
for and recorded. `build.build_definitions` puts the parts together, `definitions.py` is the entry.

`dagster dev` in the repository's root finds `workspace.yaml` and `dagster.yaml` there and needs no
DAGSTER_HOME: it makes a temporary one, and all state goes where `storage` says.
"""

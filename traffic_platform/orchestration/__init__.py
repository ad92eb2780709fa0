"""Dagster's side of the platform: assets, checks, jobs, sensors, schedules and storage.

Each folder holds one subject. The modules here define and schedule work; the work itself lives in
the other packages, such as `ingest` and `quality`. `build.build_definitions` puts the parts
together, and `traffic_platform/definitions.py` is Dagster's entry point.

`dagster dev` in the repository's root finds `workspace.yaml` and `dagster.yaml` there. It needs no
DAGSTER_HOME: it makes a temporary one, and `instance.storage` decides where state goes.
"""

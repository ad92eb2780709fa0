"""Dagster's side of the platform: assets, checks, jobs, sensors, schedules and storage.

Thin on purpose: what a run or a check does lives in ingest and quality; here it is named, asked
for and recorded. `build.build_definitions` puts the parts together, `definitions.py` is the entry.

Services (all in the repository's root, or with TRAFFIC_HOME absolute; `home.prepare_home` makes the
folder that DAGSTER_HOME names):

- code server   `python -m dagster api grpc --module-name traffic_platform.definitions
                --location-name traffic_platform --socket PATH`
- webserver     `python -m dagster_webserver --host 127.0.0.1 --port PORT --workspace FILE`
- daemon        `python -m dagster._daemon run --workspace FILE`

where FILE names the code server's socket. `dagster dev` alone starts all three from
`workspace.yaml` and `dagster.yaml` and needs no DAGSTER_HOME.
"""

"""Roll-ups and detector health as Dagster assets, with their jobs and nightly schedules."""

"""Roll-ups and detector health as Dagster assets."""

"""Dagster's entry point, which `workspace.yaml` loads."""

from traffic_platform.orchestration.build import build_definitions
from traffic_platform.settings import load_settings

defs = build_definitions(load_settings())

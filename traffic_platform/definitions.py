"""Dagster's entry point, which `workspace.yaml` loads."""

import warnings

from dagster import BetaWarning

from traffic_platform.orchestration.build import build_definitions
from traffic_platform.settings import load_settings

with warnings.catch_warnings():
    # The platform uses features in beta knowingly. Each run would log a warning about them.
    warnings.simplefilter("ignore", BetaWarning)
    defs = build_definitions(load_settings())

"""Unknown variables that begin with TRAFFIC_: misspelled settings, mostly."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final

from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource

from traffic_platform.settings.settings import Settings

# Read by the stack's processes and by tests that plant faults.
_OWN: Final = frozenset({"TRAFFIC_STACK", "TRAFFIC_FAULT_POINT"})


def unknown_settings() -> list[str]:
    """Return a sentence for each such variable of the environment and of `.env`.

    They cause warnings, not errors: Kubernetes gives every container variables of the services
    beside it, and those of a service named `traffic` begin with TRAFFIC_ too.
    """
    known = {f"TRAFFIC_{name.upper()}" for name in Settings.model_fields}
    given = (
        EnvSettingsSource(Settings).env_vars.keys()
        | DotEnvSettingsSource(
            Settings, env_file=Settings.model_config.get("env_file")
        ).env_vars.keys()
    )
    names = sorted(name.upper() for name in given if name.upper().startswith("TRAFFIC_"))
    return [_describe(name, known) for name in names if name not in known | _OWN]


def _describe(name: str, known: set[str]) -> str:
    # Without the common prefix, which would make any two names alike.
    nearest = get_close_matches(
        name.removeprefix("TRAFFIC_"), [one.removeprefix("TRAFFIC_") for one in known], n=1
    )
    advice = f"Did you mean TRAFFIC_{nearest[0]}?" if nearest else "docs/settings.md lists all."
    return f"{name} is not a setting and has no effect. {advice}"

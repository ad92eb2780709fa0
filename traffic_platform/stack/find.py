"""The stack that commands for people mean: that of the current folder, or of the clone."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import traffic_platform
from traffic_platform.settings import Settings, load_settings
from traffic_platform.stack.control import folders_of, living_state
from traffic_platform.stack.state import StackState


@dataclass(frozen=True)
class FoundStack:
    """Settings of a stack, its state, and where it was looked for. `state` is None when none runs.

    `settings` has an absolute home.
    """

    settings: Settings
    state: StackState | None
    looked: tuple[Path, ...]

    @property
    def missing(self) -> str:
        """A sentence that says where no stack runs."""
        return f"no stack runs in {' or '.join(map(str, self.looked))} (TRAFFIC_HOME)"


def find_stack(settings: Settings, clone: Path | None = None) -> FoundStack:
    """Return the running stack of TRAFFIC_HOME, else that of the clone of the repository.

    The clone is only looked at when TRAFFIC_HOME is not set. Its `.env` holds the settings of its
    stack. Raises SettingsError for an invalid one.
    """
    home = folders_of(settings).home
    own = settings.model_copy(update={"home": home})
    state = living_state(folders_of(own))
    clone = clone or _clone()
    named = "home" in settings.model_fields_set
    if state is not None or named or clone is None or clone / ".traffic" == home:
        return FoundStack(own, state, (home,))
    there = load_settings(clone)
    found = living_state(folders_of(there))
    looked = (home, folders_of(there).home)
    return FoundStack(there if found else own, found, looked)


def _clone() -> Path | None:
    """Return the folder of the clone that this package runs from, None for an installed wheel."""
    folder = Path(os.path.realpath(traffic_platform.__file__)).parents[1]
    return folder if (folder / "pyproject.toml").is_file() else None

"""Addresses of the servers, and the error of settings that are wrong or missing."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from traffic_platform.atomic_file import replace_file


class SettingsError(Exception):
    """A setting is wrong or missing. The message names it and says what to do (permanent)."""


@dataclass(frozen=True)
class Endpoints:
    """Addresses of Kafka and PostgreSQL. URLs hold a password: never print or log them.

    The URLs are libpq URIs. `owner_url` migrates, `ingest_url` writes, `read_url` reads;
    `dagster_url` is the database of Dagster's storage.
    """

    kafka_bootstrap_servers: str
    owner_url: str
    ingest_url: str
    read_url: str
    dagster_url: str

    def save(self, file: Path) -> None:
        """Replace `file`, which only its owner can read."""
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(file, json.dumps(asdict(self), indent=2))


def load_endpoints(file: Path) -> dict[str, str]:
    """Return the fields of saved endpoints, an empty dict when there is no such file.

    Raises SettingsError when the file cannot be read.
    """
    try:
        return json.loads(file.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"{file} cannot be read ({error}). Run `traffic down`, then `traffic up`."
        ) from error

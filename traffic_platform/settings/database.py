"""Settings of the connection to PostgreSQL."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, SecretStr, model_validator

from traffic_platform.database_url import check_url
from traffic_platform.settings.subject import SubjectSettings


def _require_usable_url(url: SecretStr) -> SecretStr:
    check_url(url.get_secret_value())
    return url


DatabaseUrl = Annotated[SecretStr, AfterValidator(_require_usable_url)]


class DatabaseSettings(SubjectSettings):
    """PostgreSQL connection

    [Use your own PostgreSQL](postgresql.md) explains the roles and their rights. Only
    `TRAFFIC_DATABASE_URL` is required for it. The other URLs are refused without it.
    """

    database_url: DatabaseUrl | None = None
    """`postgresql://user:password@host:5432/database` of the role that owns the database. If it is
    set, the stack starts no PostgreSQL of its own."""
    ingest_database_url: DatabaseUrl | None = None
    """The same database with the role that writes. Not set: the owner writes."""
    read_database_url: DatabaseUrl | None = None
    """The same database with the role that reads. Not set: the owner reads."""
    dagster_database_url: DatabaseUrl | None = None
    """Database of Dagster's storage. Not set: a database beside the first, with `_dagster` added
    to its name."""

    @model_validator(mode="after")
    def _other_urls_need_a_server_of_your_own(self) -> Self:
        if self.database_url is None:
            for name in ("ingest_database_url", "read_database_url", "dagster_database_url"):
                if getattr(self, name) is not None:
                    raise ValueError(
                        f"TRAFFIC_{name.upper()} is set and TRAFFIC_DATABASE_URL is not: the"
                        " embedded PostgreSQL has its own roles and databases. Set both or neither."
                    )
        return self

"""Base of the settings of one subject, and the validators that several subjects share."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class SubjectSettings(BaseSettings):
    """Settings of one subject.

    The environment variable of a field is `TRAFFIC_` and its name in capitals. docs/settings.md is
    generated: the docstring of a field is its documentation, the first line of the class's
    docstring is a heading, and the rest is the text below it.
    """

    model_config = SettingsConfigDict(
        env_prefix="TRAFFIC_",
        env_file=".env",
        # TRAFFIC_DATABASE_URL= in a compose file or a .env means that it is not set.
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        # Pydantic's messages would show a URL with its password.
        hide_input_in_errors=True,
    )


def listed(text: str) -> tuple[str, ...]:
    """Return the items of a setting that separates them with commas."""
    return tuple(item.strip() for item in text.split(",") if item.strip())


def reveal(value: SecretStr | None) -> str | None:
    """Return the text of a secret setting, None when it is not set."""
    return value.get_secret_value() if value else None


def _require_http(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise ValueError("it must begin with https:// or http://")
    return url


def _require_secret_http(url: SecretStr) -> SecretStr:
    _require_http(url.get_secret_value())
    return url


HttpUrl = Annotated[str, AfterValidator(_require_http)]
SecretHttpUrl = Annotated[SecretStr, AfterValidator(_require_secret_http)]
# The upper bound leaves ports for the search of a free one.
FirstPort = Annotated[int, Field(ge=1, le=65_000)]
Percent = Annotated[float, Field(ge=0, le=100)]
# 0 means without a limit.
Limit = Annotated[int, Field(ge=0)]

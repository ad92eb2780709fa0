"""`traffic keys`: create, list and revoke API keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, cast

import typer

from traffic_platform.cli.console import load_settings, print_json, print_table, say, time_text
from traffic_platform.cli.options import Json

if TYPE_CHECKING:
    from traffic_platform.api.security.key_store import Key

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Create, list and revoke API keys."
)

_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


class ScopeChoice(StrEnum):
    """The scopes of a key. Typer does not support a list of literals."""

    READ = "read"
    EXPORT = "export"
    ADMIN = "admin"


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="Name of the person or program that uses the key.")],
    *,
    scope: Annotated[
        list[ScopeChoice] | None,
        typer.Option(help="read (default), export or admin; may be repeated."),
    ] = None,
    expires: Annotated[
        str, typer.Option(help="A period such as 12h, 90d or 52w, an ISO date or time, or never.")
    ] = "365d",
    as_json: Json = False,
) -> None:
    """Create a key and print it. It is shown only once, because only its hash is stored.

    read allows everything except exports, export allows exports, and admin allows nothing yet. A
    date means its start in UTC.

    Example: traffic keys create control-room --scope read --scope export --expires 90d
    """
    from traffic_platform.api.security import key_store

    scopes = cast("list[key_store.Scope]", [choice.value for choice in scope or [ScopeChoice.READ]])
    created, key = key_store.create(load_settings(), name, scopes, _expiry(expires))
    if as_json:
        print_json({**created.as_json(), "key": key})
        return
    say(key)
    until = f"until {time_text(created.expires_at)}" if created.expires_at else "for ever"
    typer.echo(
        f"Key {created.key_id} ({created.name}) allows {' and '.join(created.scopes)} {until}."
        " It is not shown again.",
        err=True,
    )


@app.command("list")
def list_(*, as_json: Json = False) -> None:
    """List every key that was ever created, without the key itself.

    Example: traffic keys list
    """
    from traffic_platform.api.security import key_store

    keys = key_store.list_keys(load_settings())
    if as_json:
        print_json([key.as_json() for key in keys])
    elif not keys:
        say("No key exists. Create one with `traffic keys create NAME`.")
    else:
        headers = ("id", "name", "scopes", "state", "created", "expires", "revoked")
        print_table("", headers, map(_row, keys))


@app.command("revoke")
def revoke(
    key: Annotated[str, typer.Argument(help="Number or name of the key.")],
    *,
    as_json: Json = False,
) -> None:
    """Revoke a key. Within five seconds it stops working and its open responses end.

    Example: traffic keys revoke control-room
    """
    from traffic_platform.api.security import key_store

    revoked = key_store.revoke(load_settings(), key)
    if as_json:
        print_json(revoked.as_json())
    else:
        at = time_text(revoked.revoked_at)
        say(f"Key {revoked.key_id} ({revoked.name}) was revoked at {at}.")


def _row(key: Key) -> tuple[object, ...]:
    scopes = ", ".join(key.scopes)
    times = (key.created_at, key.expires_at, key.revoked_at)
    return (key.key_id, key.name, scopes, key.state, *times)


def _expiry(text: str) -> datetime | None:
    """Parse `--expires`; None means never. Raises typer.BadParameter."""
    if text == "never":
        return None
    unit = _UNITS.get(text[-1:])
    try:
        if unit and text[:-1].isascii() and text[:-1].isdigit():
            return datetime.now(UTC) + timedelta(**{unit: int(text[:-1])})
        time = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(
            f"Invalid time {text!r}. Use 12h, 90d, 52w, 2027-01-31, 2027-01-31T12:00Z or never.",
            param_hint="--expires",
        ) from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)

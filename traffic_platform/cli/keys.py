"""`traffic keys`: who may ask the API, when it is not only for this machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, cast

import typer

if TYPE_CHECKING:
    from traffic_platform.api.security.key_store import Key

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Keys of the API.")

_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


class ScopeChoice(StrEnum):
    """What a key may allow. Typer knows no list of literals."""

    READ = "read"
    EXPORT = "export"
    ADMIN = "admin"


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="Whom or what the key is for.")],
    *,
    scope: Annotated[
        list[ScopeChoice] | None,
        typer.Option(help="read (default), export or admin; may be given again."),
    ] = None,
    expires: Annotated[
        str, typer.Option(help="After 12h, 90d or 52w, at an ISO date or time, or never.")
    ] = "365d",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make a key and print it, once: only its hash is stored.

    read allows everything but the export of whole days, which export allows; admin allows nothing
    yet. A date means its beginning in UTC.

    Example: traffic keys create control-room --scope read --scope export --expires 90d
    """
    from traffic_platform.api.security import key_store
    from traffic_platform.cli.console import print_json, say, utc_text
    from traffic_platform.settings import load_settings

    scopes = cast("list[key_store.Scope]", [choice.value for choice in scope or [ScopeChoice.READ]])
    made, key = key_store.create(load_settings(), name, scopes, _end(expires))
    if as_json:
        print_json({**made.as_json(), "key": key})
        return
    say(key)
    until = f"until {utc_text(made.expires_at)}" if made.expires_at else "for ever"
    typer.echo(
        f"Key {made.key_id} ({made.name}) allows {' and '.join(made.scopes)} {until}."
        " It is not shown again.",
        err=True,
    )


@app.command("list")
def list_(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List every key that was ever made, without the keys themselves.

    Example: traffic keys list
    """
    from traffic_platform.api.security import key_store
    from traffic_platform.cli.console import print_json, print_table, say
    from traffic_platform.settings import load_settings

    keys = key_store.list_keys(load_settings())
    if as_json:
        print_json([key.as_json() for key in keys])
    elif not keys:
        say("There is no key.")
    else:
        headers = ("id", "name", "scopes", "state", "created", "expires", "revoked")
        print_table("", headers, map(_row, keys))


@app.command("revoke")
def revoke(
    key: Annotated[str, typer.Argument(help="Number or name.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Revoke a key: within five seconds it opens nothing, and what it had opened is closed.

    Example: traffic keys revoke control-room
    """
    from traffic_platform.api.security import key_store
    from traffic_platform.cli.console import print_json, say, utc_text
    from traffic_platform.settings import load_settings

    revoked = key_store.revoke(load_settings(), key)
    if as_json:
        print_json(revoked.as_json())
    else:
        since = utc_text(revoked.revoked_at)
        say(f"Key {revoked.key_id} ({revoked.name}) is revoked since {since}.")


def _row(key: Key) -> tuple[object, ...]:
    scopes = ", ".join(key.scopes)
    times = (key.created_at, key.expires_at, key.revoked_at)
    return (key.key_id, key.name, scopes, key.state, *times)


def _end(text: str) -> datetime | None:
    """The moment that `--expires` means; None: never. Raises typer.BadParameter."""
    if text == "never":
        return None
    unit = _UNITS.get(text[-1:])
    try:
        if unit and text[:-1].isascii() and text[:-1].isdigit():
            return datetime.now(UTC) + timedelta(**{unit: int(text[:-1])})
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(
            f"{text!r}: write 12h, 90d, 52w, 2027-01-31, 2027-01-31T12:00Z or never",
            param_hint="--expires",
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

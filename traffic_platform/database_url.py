"""URLs of PostgreSQL databases: validation, changes, and display without secrets.

libpq reads more than SQLAlchemy does (keywords, several hosts), and takes missing parts from its
own environment. The platform accepts URLs that both understand and that name a database. No
message from this module contains a part of the URL, because any part may be the password.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from psycopg import Error
from psycopg.conninfo import conninfo_to_dict

EXAMPLE = "postgresql://user:password@host:5432/traffic"

_SCHEMES = ("postgresql://", "postgres://")
_SECRETS = ("password", "sslpassword", "oauth_client_secret")
_DEFAULT_PORT = "5432"


def check_url(url: str) -> None:
    """Raise ValueError with advice, and without a part of the URL, when it cannot be used."""
    if not url.startswith(_SCHEMES):
        raise ValueError(f"not a URI of PostgreSQL; an example is '{EXAMPLE}'")
    try:
        parts = url_parts(url)
    except (Error, UnicodeError):
        # libpq's message quotes the URL.
        raise ValueError(
            "PostgreSQL's library cannot read this URI: write special characters of the password"
            f" as %40 (@), %25 (%), %20 (space); an example is '{EXAMPLE}'"
        ) from None
    host = parts.get("host") or parts.get("hostaddr") or ""
    if not host:
        raise ValueError(f"the host is missing; an example is '{EXAMPLE}'")
    if "," in host or "," in parts.get("port", ""):
        raise ValueError("more than one host, which Dagster's storage cannot use: name one host")
    if "@" in host[1:]:
        raise ValueError("the password contains an @: write it as %40")
    if not parts.get("port", _DEFAULT_PORT).isdecimal():
        raise ValueError(f"the port is not a number; an example is '{EXAMPLE}'")
    if not parts.get("dbname"):
        raise ValueError(f"the name of the database is missing; an example is '{EXAMPLE}'")


def url_parts(url: str) -> dict[str, str]:
    """Return the parts of the URL by libpq's keywords.

    Raises psycopg.Error, whose text may contain a secret.
    """
    return {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}


def build_url(parts: Mapping[str, str]) -> str:
    """Return a URI of these keywords that libpq and SQLAlchemy read alike."""
    rest = dict(parts)
    user, password = rest.pop("user", ""), rest.pop("password", None)
    database = rest.pop("dbname", "")
    account = quote(user, safe="") + ("" if password is None else f":{quote(password, safe='')}")
    if quote(database, safe="") != database:
        # SQLAlchemy decodes the query, not the path.
        rest["dbname"], database = database, ""
    server = ""
    # SQLAlchemy takes no folder of a socket as host: it goes into the query, with its port.
    if not rest.get("host", "/").startswith(("/", "@")):
        host = rest.pop("host")
        server = f"[{host}]" if ":" in host else quote(host, safe="")
        server += f":{rest.pop('port')}" if "port" in rest else ""
    query = "&".join(f"{key}={quote(value, safe='')}" for key, value in rest.items())
    return (
        f"postgresql://{account}{'@' if account else ''}{server}/{database}"
        f"{'?' if query else ''}{query}"
    )


def with_database(url: str, name: str) -> str:
    """Return the URL with another database of the same server and account."""
    return build_url({**url_parts(url), "dbname": name})


def with_suffix(url: str, suffix: str) -> str:
    """Return the URL with `suffix` added to the name of its database."""
    return with_database(url, url_parts(url)["dbname"] + suffix)


def without_secrets(url: str) -> str:
    """Return the URL without its passwords, for screens and logs."""
    return build_url({key: text for key, text in url_parts(url).items() if key not in _SECRETS})


def same_server(one: str, other: str) -> bool:
    """Return whether both URLs name the same address and port."""

    def address(url: str) -> tuple[str | None, ...]:
        parts = url_parts(url)
        return parts.get("host"), parts.get("hostaddr"), parts.get("port", _DEFAULT_PORT)

    return address(one) == address(other)
